"""Numpy kernels for bulk secure computation, over whatever carries their messages.

`linear` adds, `bits` computes gates 64 at a time; both see the other parties only through `Exchange`.
The security argument is `docs/mpc-kernels.md`: semi-honest parties, at most t of m colluding, m > 2t.
"""
