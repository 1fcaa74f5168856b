"""Waits for its twin, which waits for it."""

PLUGIN = {"id": "toy_cycle_b", "version": "1.0.0", "requires": ["toy_cycle_a"]}
