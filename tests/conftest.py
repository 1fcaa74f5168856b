"""Fixtures for all tests. The network is closed but for this machine (see `addopts` in pyproject.toml)."""

pytest_plugins = [
    *("tests.fixtures.servers", "tests.fixtures.database", "tests.fixtures.floor", "tests.fixtures.faults", "tests.fixtures.stations"),
    "tests.fixtures.browser",
]
