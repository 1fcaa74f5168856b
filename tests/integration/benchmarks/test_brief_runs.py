"""Each benchmark runs through at tiny sizes and tells its figures; how fast it was says nothing here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("first 25", "first 100", "done, by shop, sorted", "by city, newest first", "counts of the tabs")
GROWING = ("first 25", "search for a number", "search for a common word", "search for two words", "order's page", "start page")


def figures_of(name, *options):
    command = [sys.executable, "-m", "benchmarks", name, "--brief", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["benchmark"] == name
    return {figure["name"]: figure for figure in answer["figures"]}


def test_intake_measures_batches_and_rest_when_run_briefly():
    figures = figures_of("intake")

    assert list(figures) == ["batch of 10", "batch of 1", "REST, 1 a request"]
    written = {key: figures["batch of 10"][key] for key in ("lines", "audits", "events", "reservations")}
    assert written == {"lines": 3.0, "audits": 2.0, "events": 2.0, "reservations": 3.0}
    assert figures["REST, 1 a request"]["reservations"] == 0.0


def test_events_measures_both_ways_of_handling_when_run_briefly():
    assert list(figures_of("events")) == ["batches of 100", "one transaction each"]


def test_hot_sku_sells_nothing_twice_when_run_briefly():
    figures = figures_of("hot_sku")

    assert list(figures) == ["one SKU, many clients", "units sold twice", "deadlocks"]
    assert (figures["units sold twice"]["ours"], figures["deadlocks"]["ours"]) == (0, 0)


def test_list_measures_every_page_when_run_briefly():
    figures = figures_of("list", "--rows", "2000")

    wanted = [f"{name}, {rows} orders" for rows in ("200", "2,000") for name in PAGES]
    wanted += [f"{name}, many : few" for name in GROWING]
    assert list(figures) == [*wanted, "whole reads of large tables"]
    assert figures["whole reads of large tables"]["ours"] == 0


def test_footprint_measures_start_and_size_when_run_briefly():
    figures = figures_of("footprint")

    names = ["cold start to /readyz", "warm start to /readyz", "PSS of web", "PSS of worker", "PSS of relay"]
    assert list(figures) == names
    assert [name for name in names if figures[name]["ours"] <= 0] == []


@pytest.mark.parametrize("name", ["nothing", "measure"])
def test_benchmarks_refuse_a_name_when_it_is_no_benchmark(name):
    command = [sys.executable, "-m", "benchmarks", name]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert f"there is no benchmark {name}; there are custom_fields, events, footprint, hot_sku, intake, list" in done.stderr
