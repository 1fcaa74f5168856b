"""Brings rights and a command."""

import click

from core.sdk import Command, Permission, hookimpl

PLUGIN = {"id": "toy_rights", "version": "1.0.0"}


@click.command()
def hello() -> None:
    """Say hello."""
    click.echo("hello")


@hookimpl
def register_permissions():
    return [Permission("toy_rights.panels.read", "See panels", "Toys")]


@hookimpl
def register_commands():
    return [Command("toy_rights.hello", "Say hello", hello)]
