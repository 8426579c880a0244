"""Whole numbers with a discrete Gaussian distribution, exactly, from a seed that several parties have alike.

Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020), algorithms 1 to 3:
integers and fractions only, so that no rounding spoils the guarantee, and every machine draws the same numbers.
Adding one to each coordinate of a vector whose length changes by at most D between neighbours is zero-concentrated
differentially private with rho = D^2 / (2 sigma^2).
"""

from __future__ import annotations

import hashlib


class Stream:
    """Uniform numbers from a seed: BLAKE2b in counter mode."""

    def __init__(self, seed: bytes) -> None:
        self.key = hashlib.blake2b(seed, digest_size=64, person=b"fairnode noise").digest()
        self.used = 0
        self.left = b""

    def below(self, bound: int) -> int:
        """A uniform whole number from 0 to `bound` - 1."""
        bits = (bound - 1).bit_length()
        while True:
            found = int.from_bytes(self._take(-(-bits // 8)), "big") >> (-bits % 8)
            if found < bound:
                return found

    def _take(self, length: int) -> bytes:
        while len(self.left) < length:
            self.left += hashlib.blake2b(self.used.to_bytes(8, "big"), key=self.key).digest()
            self.used += 1
        taken, self.left = self.left[:length], self.left[length:]
        return taken


def discrete_gaussian(stream: Stream, sigma: int) -> int:
    """One number of standard deviation `sigma` (about; exactly that of the discrete Gaussian)."""
    scale = sigma + 1
    while True:
        found = _laplace(stream, scale)
        # (|y| - sigma^2 / t)^2 / (2 sigma^2) as a fraction
        above = (abs(found) * scale - sigma * sigma) ** 2
        if _chance_exp(stream, above, 2 * sigma * sigma * scale * scale):
            return found


def _laplace(stream: Stream, scale: int) -> int:
    """A whole number y with a chance in proportion to exp(-|y| / scale)."""
    while True:
        rest = stream.below(scale)
        if not _chance_exp(stream, rest, scale):
            continue
        whole = 0
        while _chance_exp(stream, 1, 1):
            whole += 1
        size, negative = rest + scale * whole, stream.below(2)
        if size or not negative:
            return -size if negative else size


def _chance_exp(stream: Stream, above: int, below: int) -> bool:
    """True with a chance of exp(-above / below)."""
    while above > below:
        if not _chance_small(stream, 1, 1):
            return False
        above -= below
    return _chance_small(stream, above, below)


def _chance_small(stream: Stream, above: int, below: int) -> bool:
    """As `_chance_exp`, for fractions up to one."""
    turn = 1
    while stream.below(below * turn) < above:
        turn += 1
    return turn % 2 == 1
