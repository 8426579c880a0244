"""What a program finds at a compute party (see `programs.contract.Session`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from fairnode.mpc.dealing import P61, Rows, Subset, to_shamir
from fairnode.mpc.dealing.subsets import shamir_weight
from fairnode.mpc.party.runtime import PartyRuntime
from fairnode.mpc.programs.contract import Mpc, Shared


class PartySession:
    """MPyC's runtime, this party's number, m, t, and the field of 2^61 - 1 elements."""

    def __init__(self, runtime: PartyRuntime) -> None:
        self.runtime: Mpc = runtime
        self.me: int = runtime.pid
        self.m: int = len(runtime.parties)
        self.t: int = runtime.threshold
        self.field: Any = runtime.SecFld(P61)

    def enter(self, rows: Rows) -> Shared:
        """Dealt rows modulo 2^61 - 1 as an array shared in MPyC; local."""
        return self._array(to_shamir(rows.rows, self.me))

    def split_random(self, bound: int, length: int) -> Mapping[Subset, Any]:
        """Fresh random integers below `bound`: for each T, the same array at all parties not in T; local."""
        common = self.runtime._prss_uci()
        everyone = set(range(self.m))
        return {
            tuple(sorted(everyone - set(holders))): prf(common, (length,))
            for holders, prf in self.runtime.prfs(bound).items()
        }

    def weigh(self, rows: Mapping[Subset, Any]) -> Shared:
        """The sum over T of values known to all parties not in T, as an array shared in MPyC; local."""
        total = sum(row * shamir_weight(subset, self.me) for subset, row in rows.items())
        return self._array(total % P61)

    def _array(self, shares: NDArray[Any]) -> Shared:
        return self.field.array(self.field.field.array(shares, check=False))
