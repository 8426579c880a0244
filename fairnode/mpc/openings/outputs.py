"""Output shares: sealed by each compute party to the recipient's node, joined only there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from fairnode.errors import NotValid
from fairnode.mpc.dealing import P61, subsets, threshold
from fairnode.mpc.dealing.subsets import label
from fairnode.mpc.programs.contract import Parameters, Program, Table

TYPE = "fairnode.output/1"


@dataclass(frozen=True)
class OutputShare:
    """What one party computed: `agreed` is the digest of everything the parties agreed on in the hello.

    `values` are Shamir shares modulo 2^61 - 1 by name; `rows`, for programs of the boolean kernel, words of
    an XOR sharing by name and set of parties that do not hold them (`subsets.label`).
    """

    study: str
    run: str
    agreed: str
    party: int
    parties: int
    values: Mapping[str, tuple[int, ...]]
    rows: Mapping[str, Mapping[str, tuple[int, ...]]]


def seal_output(share: OutputShare, recipient: bytes) -> bytes:
    """The share in a box that only the holder of the recipient's X25519 key opens."""
    fields = {
        "type": TYPE,
        "study": share.study,
        "run": share.run,
        "agreed": share.agreed,
        "party": share.party,
        "parties": share.parties,
        "values": {name: list(values) for name, values in share.values.items()},
        "rows": {name: {who: list(row) for who, row in rows.items()} for name, rows in share.rows.items()},
    }
    return SealedBox(PublicKey(recipient)).encrypt(json.dumps(fields).encode())


def open_output(box: bytes, secret: bytes) -> OutputShare:
    """The share in `box`, opened with the recipient's X25519 secret key. Raises NotValid."""
    try:
        told = json.loads(SealedBox(PrivateKey(secret)).decrypt(box))
        return _output_share(told)
    except (CryptoError, ValueError, KeyError, TypeError):
        raise NotValid(
            "An output share cannot be opened: it is corrupted or sealed to another key.",
            to_do="Start the computation again with the same shares.",
        ) from None


def _output_share(told: Mapping[str, Any]) -> OutputShare:
    if told["type"] != TYPE:
        raise ValueError("another type of message")
    values = {str(name): tuple(map(int, column)) for name, column in told["values"].items()}
    if not all(0 <= value < P61 for column in values.values() for value in column):
        raise ValueError("a share out of range")
    rows = {
        str(name): {str(who): tuple(map(int, row)) for who, row in each.items()}
        for name, each in told["rows"].items()
    }
    return OutputShare(
        str(told["study"]),
        str(told["run"]),
        str(told["agreed"]),
        int(told["party"]),
        int(told["parties"]),
        values,
        rows,
    )


def combine_outputs(program: Program, parameters: Parameters, shares: Sequence[OutputShare]) -> Table:
    """The table that the shares of *all* compute parties of one run hold.

    m shares of a polynomial of degree t are more than needed, and every row of an XOR sharing is held by
    m - t parties: all must fit each other. Raises NotValid when a share is missing, is of another run, or
    does not fit the others.
    """
    ordered = sorted(shares, key=lambda share: share.party)
    m = ordered[0].parties if ordered else 0
    if [share.party for share in ordered] != list(range(m)) or not m:
        raise NotValid("The output of a compute party is missing, or there twice.")
    first = ordered[0]
    for share in ordered:
        if (share.study, share.run, share.agreed) != (first.study, first.run, first.agreed):
            raise NotValid(f"The output of party {share.party} belongs to another run.")
        if _shape(share) != _shape(first):
            raise NotValid(f"The output of party {share.party} has another shape than the others'.")
    opened = {name: _join([share.values[name] for share in ordered], m) for name in first.values}
    opened |= {name: _join_rows([share.rows[name] for share in ordered], m) for name in first.rows}
    return program.table(opened, parameters)


def _shape(share: OutputShare) -> dict[str, int]:
    return {name: len(column) for name, column in share.values.items()} | dict.fromkeys(share.rows, -1)


def _join_rows(held_rows: Sequence[Mapping[str, Sequence[int]]], m: int) -> list[int]:
    """The XOR of the rows of all sets, each of which all its holders must have in the same form."""
    joined: list[int] = []
    for subset in subsets(m):
        copies = {tuple(held_rows[party].get(label(subset), ())) for party in range(m) if party not in subset}
        if len(copies) != 1 or (joined and len(joined) != len(min(copies))):
            raise _contradiction()
        (row,) = copies
        joined = [left ^ right for left, right in zip(joined, row, strict=True)] if joined else list(row)
    return joined


def _contradiction() -> NotValid:
    return NotValid(
        "The outputs of the compute parties contradict each other: one of them is wrong.",
        to_do="Start the computation again; if it happens again, compare the parties' ledgers.",
    )


def _join(columns: Sequence[Sequence[int]], m: int) -> list[int]:
    """The values of polynomials of degree t at 0, from their values at 1..m, all of them consistent."""
    t = threshold(m)
    points = list(range(1, t + 2))
    weights = lagrange(points, 0)
    checks = [(x, lagrange(points, x)) for x in range(t + 2, m + 1)]
    joined = []
    for shares in zip(*columns, strict=True):
        for x, check in checks:
            if _weighted(check, shares) != shares[x - 1]:
                raise _contradiction()
        joined.append(_weighted(weights, shares))
    return joined


def lagrange(points: Sequence[int], at: int) -> list[int]:
    """Weights that give a polynomial's value at `at` from its values at `points`, modulo 2^61 - 1."""
    weights = []
    for i in points:
        weight = 1
        for j in points:
            if j != i:
                weight = weight * (at - j) * pow(i - j, -1, P61) % P61
        weights.append(weight)
    return weights


def _weighted(weights: Sequence[int], shares: Sequence[int]) -> int:
    return sum(weight * share for weight, share in zip(weights, shares, strict=False)) % P61
