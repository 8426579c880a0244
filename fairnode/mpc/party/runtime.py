"""MPyC's runtime on connections that are ours, without its three habits that are not safe here.

1. MPyC opens its own sockets and believes any peer that connects first. Here it is given links that are
   authenticated and agreed upon; `start`, `shutdown` and `transfer` are not used.
2. MPyC unpickles what peers send. Here `Codec` stands in the place of its `pickle`.
3. MPyC's public zero test (of every comparison) and its reciprocals open the product of two sharings as
   it is, in all but small fields. That product is a polynomial whose factors are the two sharings: with
   m = 3, a party that knows its own share finds the tested value as one of two candidates. Here `output`
   adds a fresh sharing of zero of degree 2t to whatever is opened with that degree, so that the
   polynomial is uniform but for its value at 0.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

import mpyc
import mpyc.random
import mpyc.runtime
import mpyc.statistics
from mpyc import asyncoro, finfields, mpctools, secgroups, seclists, secpols, sectypes, thresha

from fairnode.mpc.party.codec import Codec
from fairnode.mpc.programs.contract import Json, Mpc, Shared
from fairnode.mpc.transport.link import KEYS, Link
from fairnode.mpc.transport.reason import RunEnded

STATISTICAL_BITS = 40
"""MPyC's sec_param: masked openings of its comparisons differ from uniform by at most about 2^-40 each."""


class PartyRuntime(mpyc.runtime.Runtime):  # type: ignore[misc]
    """The runtime of party `me` over `links` (by party number); counts what it opens."""

    def __init__(self, me: int, links: Mapping[int, Link]) -> None:
        parties = [mpyc.runtime.Party(number) for number in range(len(links) + 1)]
        options = mpyc._get_arg_parser().parse_args([])
        options.no_log, options.no_barrier, options.no_async = True, True, False
        options.sec_param = STATISTICAL_BITS
        options.threshold = (len(parties) - 1) // 2
        super().__init__(me, parties, options)
        self.links = links
        self.opened_values = 0
        for number, link in links.items():
            self.parties[number].protocol = link
        _install(self)

    async def exchange_keys(self) -> None:
        """Send and take the keys of pseudo-random secret sharing: each subset's lowest party chooses."""
        for number, link in self.links.items():
            link.send_control(KEYS, b"".join(self._prss_keys_to_peer(number)))
        for number, link in self.links.items():
            payload = await link.control[KEYS]
            if len(payload) != self._prss_keys_from_peer(number):
                raise RunEnded("garbage", number, f"Party {number} sent keys of another length.")
            self._prss_keys_from_peer(number, payload)

    def output(
        self, x: Shared, receivers: Shared = None, threshold: int | None = None, raw: bool = False
    ) -> Shared:
        """MPyC's `output`, counted; a polynomial of degree 2t is made uniform before it is opened."""
        items = x if isinstance(x, list) else [x]
        self.opened_values += sum(int(getattr(item, "size", 1)) for item in items)
        if threshold is not None and threshold > self.threshold and items:
            fresh = [item + zero for item, zero in zip(items, self._zeros(items), strict=True)]
            x = fresh if isinstance(x, list) else fresh[0]
        return super().output(x, receivers=receivers, threshold=threshold, raw=raw)

    def _zeros(self, items: list[Shared]) -> list[Shared]:
        """Shares of random polynomials of degree 2t that are zero at 0, one for each field element."""
        first = items[0]
        if isinstance(first, self.SecureObject):
            raise TypeError("products are opened as field elements only")
        if isinstance(first, finfields.FiniteFieldElement):
            field = type(first)
            return list(self._zero_shares(thresha.pseudorandom_share_zero, field, len(items)))
        return [
            self._zero_shares(thresha.np_pseudorandom_share_0, item.field, item.size).reshape(item.shape)
            for item in items
        ]

    def _zero_shares(self, share: Mpc, field: Mpc, count: int) -> Shared:
        keys = self.prfs(field.order)
        return share(field, len(self.parties), self.pid, keys, self._prss_uci(), count)

    def transfer(self, *_: Json, **__: Json) -> Json:
        """Not offered: it would carry arbitrary objects between parties."""
        raise TypeError("objects do not travel between parties")


def _install(runtime: PartyRuntime) -> None:
    """Make `runtime` the one that MPyC's modules use: one process runs one computation."""
    for module in (
        asyncoro,
        sectypes,
        mpctools,
        seclists,
        secpols,
        secgroups,
        mpyc.random,
        mpyc.statistics,
    ):
        module.runtime = runtime
    mpyc.runtime.pickle = Codec(lambda: int(runtime._program_counter[0]))
    asyncoro._hop = _hop


def _hop(counter: list[int]) -> int:
    """A program counter for a forked protocol; the same on every platform, unlike MPyC's `hash`."""
    packed = struct.pack("<qq", *counter)
    # Two bits short of 64, so that counting on from here never leaves the eight bytes of a frame's header.
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little", signed=True) >> 2
