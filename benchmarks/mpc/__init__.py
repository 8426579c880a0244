"""Benchmarks of the MPC kernels: real processes over loopback, plain MPyC as the peer in the same run."""
