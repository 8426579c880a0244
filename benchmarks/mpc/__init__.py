"""Benchmarks of multi-party computation: real processes, TLS on, peers measured in the same run.

`python -m benchmarks.mpc full` adds what takes long: lists of a million.
"""

from benchmarks.mpc.measure import rows

__all__ = ["rows"]
