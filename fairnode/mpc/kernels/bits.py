"""Gates on replicated secret bits, 64 to a word: XOR and NOT are local, AND costs one round or two.

A shared vector of W words is an array (rows held by this party, W), rows in the order of
`exchange.held_by`; so `a ^ b` is the XOR gate. The AND gate follows Araki et al. (CCS 2016) and its
generalisation to any (m, t) with m > 2t: x & y is the XOR of all products x_A & y_B of rows, and some
party holds both A and B as 2t < m. Parties mask the XOR of their products with a share of zero. Of three
parties each one's masked sum is a row of the result. With more parties one row of the result (the *target*,
which changes all the time) becomes the XOR of all masked sums, and the others come from shared keys.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc.kernels.exchange import Exchange, Row, WrongMessage, held_by, holders, rows_of
from fairnode.mpc.kernels.products import Piece, assign_products, spread
from fairnode.mpc.kernels.sharing import ALL_ONES, RowSource, held_rows, read_row, xor_all
from fairnode.mpc.kernels.streams import CACHE_WORDS, SLACK_WORDS, Stream, Words, octets

BULK_WORDS = 16384  # from here on bytes cost more than rounds: sums go through one holder, in two rounds


A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class _Wanted:
    """An AND that a computation waits for, while others that run beside it tell theirs."""

    x: Words
    y: Words

    def __await__(self) -> Generator[_Wanted, Words, Words]:
        return (yield self)


@dataclass(frozen=True)
class _Done:
    """What a computation came to."""

    value: Any


class BitKernel:
    """One party's gates. All parties must call the same methods, in the same order, on the same shapes."""

    def __init__(self, exchange: Exchange) -> None:
        """Derive the masks' key streams; several kernels may live in one run, each with its own."""
        self.exchange = exchange
        self.party, self.parties, self.threshold = exchange.party, exchange.parties, exchange.threshold
        if self.parties <= 2 * self.threshold or self.threshold < 1:
            raise NotValid(f"{self.parties} compute parties cannot keep a secret from {self.threshold}.")
        self.others = [p for p in range(self.parties) if p != self.party]
        self.rows = rows_of(self.parties, self.threshold)
        self.held = held_by(self.party, self.parties, self.threshold)
        self.and_gates = 0
        self._three = (self.parties, self.threshold) == (3, 1)
        self._use = exchange.next_use()
        self._products = assign_products(self.parties, self.threshold)[self.party]
        self._fresh = {row: Stream(exchange.row_key(row), "and: new row", self._use) for row in self.held}
        self._zero = [Stream(exchange.pair_key(p), "and: zero share", self._use) for p in self.others]
        self._dealt: dict[tuple[Row, int], Stream] = {}
        self._adder = spread(self.rows, self.parties)
        self._collector = spread(self.rows, self.parties)
        self._turn = 0
        self._beside = False

    # ---- what needs no message

    def zeros(self, words: int) -> Words:
        """A sharing of zeros (every row zero: a constant, not a secret)."""
        return np.zeros((len(self.held), words), np.uint64)

    def public(self, words: Words) -> Words:
        """A sharing of words that everybody knows."""
        shared = self.zeros(len(words))
        if self.rows[0] in self.held:
            shared[0] = words
        return shared

    def invert(self, x: Words) -> Words:
        """NOT of every bit."""
        flipped = x.copy()
        if self.rows[0] in self.held:
            flipped[0] ^= ALL_ONES
        return flipped

    def invert_in_place(self, x: Words) -> None:
        """NOT of every bit, overwriting the vector."""
        if self.rows[0] in self.held:
            np.bitwise_xor(x[0], ALL_ONES, out=x[0])

    def dealt(self, rows: Mapping[Row, Words | RowSource], start: int, stop: int) -> Words:
        """The share that this party was dealt of words start..stop-1 of an input party."""
        share = np.empty((len(self.held), stop - start), np.uint64)
        for row, out in zip(held_rows(rows, self.party, self.parties, self.threshold), share, strict=True):
            read_row(row, start, out)
        return share

    # ---- what needs messages

    async def share(self, words: Words | None, dealer: int, count: int) -> Words:
        """Share `count` words of compute party `dealer` (the others give None): one row is sent."""
        names = [row for row in self.rows if dealer not in row]
        last = names[-1]
        shared = self.zeros(count)
        for i, row in enumerate(self.held):
            if row in names and row != last:
                shared[i] = self._dealt_by(dealer, row).words(count)
        if self.party == dealer:
            assert words is not None
            assert len(words) == count
            rest = words ^ xor_all(shared)
            shared[self.held.index(last)] = rest
            await self.exchange.exchange(
                {p: rest.tobytes() for p in holders(last, self.parties) if p != dealer}, []
            )
        elif self.party not in last:
            got = await self.exchange.exchange({}, [dealer])
            shared[self.held.index(last)] = _words(got[dealer], count, dealer)
        return shared

    async def and_(self, x: Words, y: Words) -> Words:
        """AND of two shared vectors (rows held, W); the result has fresh, uniform rows."""
        if self._beside:
            return await _Wanted(x, y)
        roomy = np.empty((len(self.held), x.shape[1] + SLACK_WORDS), np.uint64)
        await self._and_into(x, y, roomy)
        return roomy[:, : x.shape[1]]

    async def and_in_place(self, bits: Words, count: int) -> None:
        """Words 0..count-1 of a shared vector become their AND with the next `count` words, in place."""
        assert count >= SLACK_WORDS
        await self._and_into(bits[:, :count], bits[:, count : 2 * count], bits[:, : count + SLACK_WORDS])

    async def _and_into(self, x: Words, y: Words, roomy: Words) -> None:
        """Put x AND y into `roomy`, whose rows have two words more and may begin with x.

        Block by block, all of x is read before any of the result is written: so `roomy` may be x.
        """
        count = x.shape[1]
        sums = np.empty(count + SLACK_WORDS, np.uint64)
        scratch = np.empty((2, min(CACHE_WORDS, count)), np.uint64)
        pieces = self._pieces(count)
        for piece in pieces:
            for start, stop in piece.blocks():
                block = sums[start:stop]
                self._add_products(x[:, start:stop], y[:, start:stop], block, scratch[:, : stop - start])
                self._hide(piece, start, stop, roomy, sums)
        await self._finish(pieces, sums, roomy)

    async def share_sums(self, sums: Words) -> Words:
        """Fresh shared words from what all parties' `sums` XOR to: an AND gate of which they did the products.

        `sums` has `SLACK_WORDS` words more than are shared, and is overwritten. Each party XORs there, for
        each k, products of its k-th factors (`left_factors`, `right_factors`) of pairs of vectors; so a sum of
        many products costs the messages of one gate.
        """
        count = len(sums) - SLACK_WORDS
        roomy = np.empty((len(self.held), count + SLACK_WORDS), np.uint64)
        pieces = self._pieces(count)
        for piece in pieces:
            for start, stop in piece.blocks():
                self._hide(piece, start, stop, roomy, sums)
        await self._finish(pieces, sums, roomy)
        return roomy[:, :count]

    def left_factors(self, x: Words) -> list[Words]:
        """For each product of rows that falls to this party, its factor from x (rows held, ...)."""
        return [_chosen(x, products.left) for products in self._products]

    def right_factors(self, y: Words) -> list[Words]:
        """For each product of rows that falls to this party, its factor from y (rows held, ...)."""
        return [_chosen(y, products.right) for products in self._products]

    async def and_many(self, pairs: Sequence[tuple[Words, Words]]) -> list[Words]:
        """AND of several pairs of shared vectors, of any widths, for the rounds of one."""
        if not pairs:
            return []
        result = await self.and_(
            np.concatenate([x for x, _ in pairs], axis=1), np.concatenate([y for _, y in pairs], axis=1)
        )
        ends = np.cumsum([x.shape[1] for x, _ in pairs])
        return [result[:, end - x.shape[1] : end] for end, (x, _) in zip(ends, pairs, strict=True)]

    async def both(self, first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
        """The results of two computations that need nothing of each other, for the rounds of the longer one.

        They may do nothing with messages but ANDs. Each runs up to its next AND; the two are done as one, so
        that all parties do the same in the same order.
        """
        computations: list[Coroutine[Any, Any, Any]] = [first, second]
        results: list[Any] = [None, None]
        answers: dict[int, Words | None] = {0: None, 1: None}
        try:
            while answers:
                wanted = {}
                for i, answer in answers.items():
                    step = self._up_to_next(computations[i], answer)
                    if isinstance(step, _Wanted):
                        wanted[i] = step
                    else:
                        results[i] = step.value
                made = await self.and_many([(each.x, each.y) for each in wanted.values()])
                answers = dict(zip(wanted, made, strict=True))
        finally:
            for each in computations:
                each.close()
        return results[0], results[1]

    def _up_to_next(self, computation: Coroutine[Any, Any, Any], answer: Words | None) -> _Wanted | _Done:
        """Let a computation go on until it wants an AND, or is done."""
        outer, self._beside = self._beside, True
        try:
            wanted = computation.send(answer)
        except StopIteration as done:
            return _Done(done.value)
        finally:
            self._beside = outer
        assert isinstance(wanted, _Wanted), "computations beside each other do nothing but ANDs"
        return wanted

    async def open_to_all(self, x: Words) -> Words:
        """The words of a shared vector, told to every compute party; the one opening the kernel has."""
        self.exchange.traffic.opened += x.shape[1]
        out: dict[int, bytes] = {}
        for peer in self.others:
            mine = [i for i, row in enumerate(self.held) if peer in row and self._teller(row) == self.party]
            if mine:
                out[peer] = xor_all(x[mine]).tobytes()
        tellers = sorted({self._teller(row) for row in self.rows if self.party in row})
        got = await self.exchange.exchange(out, tellers)
        opened = xor_all(x)
        for peer in tellers:
            opened ^= _words(got[peer], x.shape[1], peer)
        return opened

    def to_rows(self, x: Words) -> dict[Row, Words]:
        """The share of this party by row name: what it seals to a recipient, or keeps."""
        return {row: x[i].copy() for i, row in enumerate(self.held)}

    # ---- the AND gate in steps

    def _dealt_by(self, dealer: int, row: Row) -> Stream:
        """The stream of a row of what a compute party shares; made when it does."""
        if (row, dealer) not in self._dealt:
            key = self.exchange.row_key(row)
            self._dealt[row, dealer] = Stream(key, f"deal {dealer}", self._use)
        return self._dealt[row, dealer]

    def _teller(self, row: Row) -> int:
        return holders(row, self.parties)[0]

    def _pieces(self, count: int) -> list[Piece]:
        """A small AND has one target row; a large one is cut so that every party collects as much."""
        if self._three or count < BULK_WORDS:
            self._turn += 1
            target = self.rows[self._turn % len(self.rows)]
            return [Piece(0, count, target, self._collector[target])]
        ends = [count * i // len(self.rows) for i in range(len(self.rows) + 1)]
        return [
            Piece(start, stop, row, self._collector[row])
            for start, stop, row in zip(ends, ends[1:], self.rows, strict=False)
        ]

    def _hide(self, piece: Piece, start: int, stop: int, roomy: Words, sums: Words) -> None:
        """Mask this party's sums of products in a block, and put the new rows from keys into `roomy`."""
        block = sums[start:stop]
        for row, name in zip(roomy, self.held, strict=True):
            if not self._three and name != piece.target:
                self._fresh[name].fill(octets(row[start : stop + SLACK_WORDS]))
                if self._adder[name] == self.party:
                    np.bitwise_xor(block, row[start:stop], out=block)
        masked = octets(sums[start : stop + SLACK_WORDS])
        for stream in self._zero:
            stream.mask(masked)

    async def _finish(self, pieces: Sequence[Piece], sums: Words, roomy: Words) -> None:
        """Send the masked sums to where they belong; the target rows are complete then."""
        count = len(sums) - SLACK_WORDS
        self.and_gates += 64 * count
        if not count:
            return
        if self._three:
            await self._pass_on(sums[:count], roomy)
        elif count >= BULK_WORDS:
            await self._collect(pieces, sums, roomy)
        else:
            await self._tell_all_holders(pieces[0], sums, roomy)

    def _add_products(self, x: Words, y: Words, out: Words, scratch: Words) -> None:
        """Put the XOR of the products of rows that fall to this party into `out`."""
        left, right = scratch
        for k, products in enumerate(self._products):
            factors = _xor_of(x, products.left, left), _xor_of(y, products.right, right)
            if k == 0:
                np.bitwise_and(*factors, out=out)
            else:
                np.bitwise_and(*factors, out=left)
                np.bitwise_xor(out, left, out=out)

    async def _pass_on(self, sums: Words, roomy: Words) -> None:
        """Three parties, one round: each masked sum is a row of the result, and one other party holds it, too."""
        before, after = (self.party - 1) % 3, (self.party + 1) % 3
        got = await self.exchange.exchange({before: sums.tobytes()}, [after])
        for name, words in ((after, sums), (before, _words(got[after], len(sums), after))):
            roomy[self.held.index((name,)), : len(sums)] = words

    async def _tell_all_holders(self, piece: Piece, sums: Words, roomy: Words) -> None:
        """One round: every party sends its masked sum to every holder of the target row."""
        count = piece.stop
        targets = holders(piece.target, self.parties)
        mine = sums[:count]
        out = {p: mine.tobytes() for p in targets if p != self.party}
        got = await self.exchange.exchange(out, self.others if self.party in targets else [])
        if self.party in targets:
            row = roomy[self.held.index(piece.target), :count]
            row[:] = mine
            for peer, message in got.items():
                row ^= _words(message, count, peer)

    async def _collect(self, pieces: Sequence[Piece], sums: Words, roomy: Words) -> None:
        """Two rounds: one holder of each target row adds up and tells the others; half the bytes."""
        mine = [p for p in pieces if p.collector == self.party]
        out = {
            peer: b"".join(sums[p.start : p.stop].tobytes() for p in pieces if p.collector == peer)
            for peer in {p.collector for p in pieces} - {self.party}
        }
        got = await self.exchange.exchange(out, self.others if mine else [])
        for peer, message in got.items():
            _xor_pieces(sums, mine, message, peer)
        out = {}
        for peer in self.others:
            told = [p for p in mine if peer not in p.target]
            if told:
                out[peer] = b"".join(sums[p.start : p.stop].tobytes() for p in told)
        due = [p for p in pieces if self.party not in p.target and p.collector != self.party]
        got = await self.exchange.exchange(out, sorted({p.collector for p in due}))
        for peer, message in got.items():
            _put_pieces(sums, [p for p in due if p.collector == peer], message, peer)
        for piece in pieces:
            if self.party not in piece.target:
                row = roomy[self.held.index(piece.target)]
                row[piece.start : piece.stop] = sums[piece.start : piece.stop]


def _xor_of(rows: Words, chosen: tuple[int, ...], scratch: Words) -> Words:
    """The XOR of the chosen rows: a row itself, or put into `scratch`."""
    if len(chosen) == 1:
        row: Words = rows[chosen[0]]
        return row
    np.bitwise_xor(rows[chosen[0]], rows[chosen[1]], out=scratch)
    for i in chosen[2:]:
        np.bitwise_xor(scratch, rows[i], out=scratch)
    return scratch


def _chosen(rows: Words, chosen: tuple[int, ...]) -> Words:
    """The XOR of the chosen rows: a row itself, or a new array."""
    if len(chosen) == 1:
        row: Words = rows[chosen[0]]
        return row
    return _xor_of(rows, chosen, np.empty_like(rows[0]))


def _words(message: bytes, count: int, peer: int) -> Words:
    """The words of a message. Raises `WrongMessage` if their number is not the one this step has."""
    if len(message) != 8 * count:
        raise WrongMessage(peer, f"{len(message)} bytes where this step has {8 * count}")
    return np.frombuffer(message, np.uint64)


def _xor_pieces(sums: Words, pieces: Sequence[Piece], message: bytes, peer: int) -> None:
    words = _words(message, sum(p.stop - p.start for p in pieces), peer)
    start = 0
    for piece in pieces:
        stop = start + piece.stop - piece.start
        sums[piece.start : piece.stop] ^= words[start:stop]
        start = stop


def _put_pieces(sums: Words, pieces: Sequence[Piece], message: bytes, peer: int) -> None:
    for piece in pieces:
        sums[piece.start : piece.stop] = 0
    _xor_pieces(sums, pieces, message, peer)
