"""How fast Orderloom is, as ratios to limits measured in the same run on the same servers (docs/reference/benchmarks.md).

Each module here that has a function `run(options: Options)` is one benchmark.
"""
