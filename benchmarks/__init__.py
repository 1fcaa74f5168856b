"""How fast Orderloom is, as ratios to limits measured in the same run on the same servers (docs/architecture/benchmarks.md).

Each module here that has a function `run(json: bool)` is one benchmark.
"""
