"""What is measured, as ratios to a peer or a physical limit: `python -m benchmarks [NAME ...]`.

Every module and package here with a function `rows()` is a benchmark. It returns (or yields) one dict a row:
name (begins with the benchmark's own name and a dot), ours, peer, ratio, goal, unit, holds.
"""
