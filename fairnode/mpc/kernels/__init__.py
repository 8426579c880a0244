"""Numpy kernels for bulk secure computation, over whatever carries their messages.

`linear` adds, `bits` computes gates 64 at a time; both see the other parties only through `Exchange`.
The security argument is `docs/mpc.md`: semi-honest parties, at most t of m colluding, m > 2t.
"""

_MODULES = ("exchange", "sharing", "streams", "products", "bits", "numbers", "over_mpyc")
BIT_SOURCES = tuple(f"{__name__}.{module}" for module in _MODULES)
"""The modules that every program on shared bits runs, for its digest."""
RULE_SOURCES = tuple(f"{__name__}.{module}" for module in ("opening", "rounding"))
"""And those of the opening rule and of rounding."""
FIELD_SOURCES = tuple(f"{__name__}.{module}" for module in ("field", "fixed", "linear"))
"""And those of large integers and fixed-point numbers."""
