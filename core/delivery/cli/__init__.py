"""The command `oms`. Each module here that defines `command` is a subcommand named after the module; nothing lists them."""
