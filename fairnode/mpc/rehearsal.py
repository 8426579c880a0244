"""A whole computation on made-up counts, with every message it sent: for people who want to see what MPC does.

Real compute parties: a process each, TLS, dealt inputs, the program `sum`; only the counts are invented. Each
party writes down what it receives, which the engine does for synthetic data only.
"""

from __future__ import annotations

import base64
import math
import secrets
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.errors import Unavailable
from fairnode.mpc.dealing import (
    ReceiveKeys,
    ReceiverKey,
    Subset,
    Terms,
    Words,
    deal,
    new_receiver_key,
    receive,
)
from fairnode.mpc.gateway import Gateway
from fairnode.mpc.kernels.sharing import from_planes
from fairnode.mpc.openings.outputs import combine_outputs, open_output
from fairnode.mpc.party.start import WarmParties, take_part
from fairnode.mpc.party.statistics import RunStatistics, parse_statistics
from fairnode.mpc.programs import program
from fairnode.network.certificate import make_certificate

SECONDS = 120.0
_STUDY = "00" * 32
_KINDS = {
    "H": "what is about to be computed, to be compared (hashes)",
    "K": "keys for masks that both will know",
    "F": "done",
}
_PAIR_KEY_BYTES = 24


@dataclass(frozen=True)
class Seen:
    """One message between two compute parties; `words` are its octets, of masked words only.

    `turn`: which step of the computation it belongs to, from 1; `begins`: its first octets, whatever it is.
    """

    sender: int
    receiver: int
    what: str
    size: int
    words: bytes
    turn: int = 0
    begins: bytes = b""


@dataclass(frozen=True)
class Held:
    """The parts into which the counts of a contributor were cut: a number a cell in each.

    `parts`: for each part the parties that do not get it, and its numbers. The XOR of all is the counts.
    """

    parts: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


@dataclass(frozen=True)
class View:
    """What one compute party saw of the others' masked words, and how near to coin tosses it is.

    `ones`: the share of bits that are one; `chance`: how often coin tosses would be at least as uneven over
    the 256 octets (chi-square). `counted`: how often each octet came.
    """

    party: int
    octets: int
    ones: float
    chance: float
    counted: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rehearsal:
    """The invented counts by contributor, the table that the recipient opened, and what was sent for it."""

    counts: tuple[tuple[int, ...], ...]
    table: dict[str, Any]
    messages: tuple[Seen, ...]
    views: tuple[View, ...]
    statistics: tuple[RunStatistics, ...]
    held: tuple[Held, ...] = ()


def rehearse(counts: Sequence[Sequence[int]], parties: int = 3, k: int = 11) -> Rehearsal:
    """Add made-up counts (one list a contributor) by `parties` real compute parties on this machine.

    Raises NotValid for counts that a combination does not take, Unavailable if the run ended.
    """
    parameters = {
        "cells": len(counts[0]),
        "k": k,
        "base": 5,
        "earlier": 0,
        "largest": 1 << 20,
        "lists": "disjoint",
        "engine": "bits",
    }
    chosen = program("sum")
    chosen.check(parameters, len(counts), parties)
    recipient = new_receiver_key()
    with tempfile.TemporaryDirectory(prefix="fairnode-rehearsal-") as name, ExitStack() as stack:
        folder = Path(name)
        jobs, parts = _jobs(folder, counts, parameters, (parties, recipient), stack)
        warm = stack.enter_context(WarmParties(folder / "warm"))
        with ThreadPoolExecutor(parties) as pool:
            outcomes = list(pool.map(lambda job: take_part(job, spool=folder / "spool", warm=warm), jobs))
        for outcome in outcomes:
            if outcome["outcome"] != "done":
                raise Unavailable(
                    f"The rehearsal ended: {outcome['reason']['sentence']}", to_do="Try it again."
                )
        shares = [open_output(base64.b64decode(o["output"]), recipient.secret) for o in outcomes]
        messages = [seen for party in range(parties) for seen in _seen(folder / str(party), party)]
    return Rehearsal(
        tuple(tuple(row) for row in counts),
        combine_outputs(chosen, parameters, shares),
        tuple(messages),
        tuple(_view(party, messages) for party in range(parties)),
        tuple(parse_statistics(outcome["statistics"]) for outcome in outcomes),
        parts,
    )


def _jobs(
    folder: Path,
    counts: Sequence[Sequence[int]],
    parameters: dict[str, Any],
    to: tuple[int, ReceiverKey],
    stack: ExitStack,
) -> tuple[list[dict[str, Any]], tuple[Held, ...]]:
    """The job of each compute party, its inputs dealt and its gateway open; and the parts that were dealt."""
    parties, recipient = to
    keys = [new_receiver_key() for _ in range(parties)]
    places = []
    for party, key in enumerate(keys):
        home = folder / str(party)
        home.mkdir()
        fingerprint = make_certificate(home, f"rehearsal {party}")
        gateway = stack.enter_context(Gateway("127.0.0.1", 0, home / "sockets"))
        places.append({"host": "127.0.0.1", "port": gateway.port, "fingerprint": fingerprint})
        (home / "receiver.key").write_text(key.secret.hex(), encoding="ascii")
    inputs, parts = _dealt(folder, counts, parameters, keys)
    common = {
        "run": secrets.token_hex(16),
        "parties": places,
        "study": _STUDY,
        "attempt": 1,
        "program": {"name": "sum", "digest": program("sum").digest},
        "parameters": parameters,
        "receivers": [key.public.hex() for key in keys],
        "recipient": recipient.public.hex(),
        "seconds": SECONDS,
        "synthetic": True,
    }
    jobs = [
        {
            **common,
            "party": party,
            "certificate": str(folder / str(party) / "tls.crt"),
            "key": str(folder / str(party) / "tls.key"),
            "sockets": str(folder / str(party) / "sockets"),
            "receiver_key": str(folder / str(party) / "receiver.key"),
            "transcript": str(folder / str(party) / "transcript"),
            "inputs": [told | {"package": f"{told['package']}{party}"} for told in inputs],
        }
        for party in range(parties)
    ]
    return jobs, parts


def _dealt(
    folder: Path, counts: Sequence[Sequence[int]], parameters: dict[str, Any], keys: Sequence[ReceiverKey]
) -> tuple[list[dict[str, str]], tuple[Held, ...]]:
    """What each contributor uploads, in files (`package` lacks the party's number at its end), and its parts."""
    chosen, found, parts = program("sum"), [], []
    for number, row in enumerate(counts):
        sender, key = f"https://organisation-{number + 1}.example", Ed25519PrivateKey.generate()
        ring, length = chosen.ring(parameters), chosen.length(parameters, number)
        terms = Terms(_STUDY, 1, sender, ring, length, tuple(each.public for each in keys))
        dealing = deal(chosen.encode([row], parameters, number), terms, key)
        for party, package in enumerate(dealing.packages):
            (folder / f"{number}.package{party}").write_bytes(package)
        (folder / f"{number}.block").write_bytes(dealing.correction)
        told = {"package": str(folder / f"{number}.package"), "correction": str(folder / f"{number}.block")}
        found.append({"sender": sender, "key": key.public_key().public_bytes_raw().hex(), **told})
        rows: dict[Subset, Words] = {}
        for party, own in enumerate(keys):
            opening = ReceiveKeys(own.secret, key.public_key())
            rows |= receive(dealing.packages[party], dealing.correction, terms, party, opening).arrays()
        parts.append(
            Held(tuple((tuple(sorted(t)), _numbers(row, len(counts[0]))) for t, row in rows.items()))
        )
    return found, tuple(parts)


def _numbers(row: Words, cells: int) -> tuple[int, ...]:
    """The planes of a part as a number a cell."""
    return tuple(int(n) for n in from_planes(row.reshape(-1, -(-cells // 64)), cells))


def _seen(home: Path, receiver: int) -> list[Seen]:
    """The messages that a party received, in order."""
    found, known = [], set()
    turns: dict[str, int] = {}
    for line in (home / "transcript").read_text(encoding="ascii").splitlines():
        sender, kind, counter, payload = line.split(" ")
        turn = turns.setdefault(kind if kind in _KINDS else counter, len(turns) + 1)
        octets, words = bytes.fromhex(payload), b""
        if kind in _KINDS:
            what = _KINDS[kind]
        elif len(octets) == _PAIR_KEY_BYTES and sender not in known and int(sender) < receiver:
            what = "the key of this pair of parties"
            known.add(sender)
        else:
            what, words = "sums of products of shares, under masks", octets[8:]
        found.append(Seen(int(sender), receiver, what, len(octets), words, turn, (words or octets)[:12]))
    return found


def _view(party: int, messages: Sequence[Seen]) -> View:
    octets = b"".join(seen.words for seen in messages if seen.receiver == party)
    counted = [0] * 256
    for octet in octets:
        counted[octet] += 1
    expected = max(len(octets), 1) / 256
    square = sum((count - expected) ** 2 / expected for count in counted)
    ones = sum(count * octet.bit_count() for octet, count in enumerate(counted)) / max(8 * len(octets), 1)
    return View(party, len(octets), ones, _chance(square, 255), tuple(counted))


def _chance(square: float, freedom: int) -> float:
    """How likely a chi-square is at least this large (Wilson and Hilferty's approximation, within 0.001)."""
    spread = 2 / (9 * freedom)
    normal = ((square / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(normal / math.sqrt(2))
