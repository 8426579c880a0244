"""Benchmarks of the MPC kernels: real processes over loopback, plain MPyC as the peer in the same run."""

from benchmarks.mpc.measure import rows

__all__ = ["rows"]
