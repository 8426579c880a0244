"""What a program finds at a compute party (see `programs.contract.Session`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from fairnode.mpc.dealing import P61, Rows, Subset
from fairnode.mpc.kernels.linear import row_weight, rows_to_shamir
from fairnode.mpc.party.runtime import PartyRuntime
from fairnode.mpc.programs.contract import Mpc, Shared


class PartySession:
    """MPyC's runtime, this party's number, m, t, and the field of 2^61 - 1 elements."""

    def __init__(self, runtime: PartyRuntime) -> None:
        self.runtime: Mpc = runtime
        self.me: int = runtime.pid
        self.m: int = len(runtime.parties)
        self.t: int = runtime.threshold

    @cached_property
    def field(self) -> Any:
        """MPyC's type of the elements; made when a program wants it, and without trying to factor the prime."""
        return self.runtime.SecFld(modulus=P61)

    def enter(self, rows: Rows) -> Shared:
        """Dealt rows modulo 2^61 - 1 as an array shared in MPyC; local."""
        return self._array(rows_to_shamir(rows.arrays(), self.me, self.m, self.t).astype(object))

    def split_random(self, bound: int, length: int) -> Mapping[Subset, Any]:
        """Fresh random integers below `bound`: for each T, the same array at all parties not in T; local."""
        common = self.runtime._prss_uci()
        everyone = set(range(self.m))
        return {
            tuple(sorted(everyone - set(holders))): prf(common, (length,))
            for holders, prf in self.runtime.prfs(bound).items()
        }

    def random(self, length: int) -> Shared:
        """Secret uniform elements of `field`; local."""
        return self.field.array(self.runtime._np_randoms(self.field.field, length))

    def weigh(self, rows: Mapping[Subset, Any], kind: Mpc = None) -> Shared:
        """The sum over T of integers known to all parties not in T, as an array shared in MPyC; local.

        `kind` is the type of the result, `field` by default.
        """
        kind = kind or self.field
        prime = int(kind.field.modulus)
        total = sum(row * row_weight(subset, self.me, prime) for subset, row in rows.items())
        return kind.array(kind.field.array(total % prime, check=False))

    async def lift(self, small: Shared, kind: Mpc) -> Shared:
        """A one-dimensional array over `field` as one of `kind`, a secure integer type.

        Opens the values plus a random integer that is the same in both fields. For values below v this
        differs from uniform by at most v C(m, t) / 2^60: cut what is larger than 2^20 into limbs.
        """
        random = self.split_random((1 << 60) // math.comb(self.m, self.t), small.shape[0])
        masked = await self.runtime.output(small + self.weigh(random))
        known = kind.field.array([int(value) for value in masked.value])
        return kind.array(known) - self.weigh(random, kind)

    def _array(self, shares: NDArray[Any]) -> Shared:
        return self.field.array(self.field.field.array(shares, check=False))
