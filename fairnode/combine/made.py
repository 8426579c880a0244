"""How each part of a combined release was made: told by the contributor itself, under its own signature.

The home node has neither a contributor's approvals nor its input. With its shares a contributor says what a local
release says of itself (`fairnode.release.made`): a keyed hash of what it read (P21), which roles approved what on
which day, its disclosure rules and the program that it dealt for. Nothing in it is counted in its data (P8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fairnode import errors
from fairnode.combine.announcement import announcement_digest
from fairnode.keys import canonical, verify
from fairnode.ledger.commit import Entry, Outgoing
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.rows import Computation, Request, Visit
from fairnode.release.made import made_of
from fairnode.store.database import Transaction

MOST_APPROVALS = 20
_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
_HASH = r"[0-9a-f]{64}"


def made_message(node: Node, visit: Visit, facts: Mapping[str, Any]) -> Outgoing:
    """What a contributor tells the study's home node of its part, signed; `facts` are those announced."""
    with node.store.read() as reader:
        request = reader.get(Request, visit.study)
    assert request is not None, "the visit came with its study"
    (mine,) = (c for c in facts["contributors"] if c["node"] == node.iri)
    told = {
        "node": node.iri,
        "dataset": mine["dataset"],
        "study": visit.study,
        "stage": facts["stage"],
        "announcement": announcement_digest(facts),
        "program": facts["program"]["digest"],
        "rules": node.rules.hash,
        **made_of(node, visit),
    }
    signature = node.keys.signing.sign(made_bytes(told)).hex()
    return Outgoing(request.home, "made", visit.study, {**told, "signature": signature})


def made_bytes(told: Mapping[str, Any]) -> bytes:
    """What the signature of a contribution covers: all that it says."""
    said = {name: value for name, value in told.items() if name != "signature"}
    return canonical({"type": "fairnode.contribution/1", **said})


def receive_made(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A contributor tells the home node how its part was made. What is of another dealing is not kept.

    Raises `NotAllowed` for who does not contribute, `NotValid` for another form or a signature that is wrong.
    """
    told, agreement = _read(body), current_in(tx)
    row = tx.get(Computation, f"home#{study}#{told['stage']}")
    member = agreement.member(sender) if agreement else None
    mine = {"dataset": told["dataset"], "node": sender}
    if row is None or member is None or mine not in row.facts.get("contributors", []):
        raise errors.NotAllowed("A node that does not contribute told how its part was made.")
    signature = bytes.fromhex(told["signature"])
    if (told["node"], told["study"]) != (sender, study) or not verify(
        member.signing, signature, made_bytes(told)
    ):
        raise errors.NotValid("How a part was made is not signed by its contributor.")
    if told["announcement"] == row.facts.get("announced"):
        tx.change(row, facts={**row.facts, "made": {**row.facts.get("made", {}), told["dataset"]: told}})
    return Entry("combination.made", study, sender, study)


def made_parts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How each part of the present dealing was made, in the order of the contributors; those that are told."""
    made = facts.get("made", {})
    found = [made[c["dataset"]] for c in facts["contributors"] if c["dataset"] in made]
    return [told for told in found if told["announcement"] == facts["announced"]]


def untold(facts: Mapping[str, Any]) -> list[str]:
    """The contributors (nodes) that did not say yet how their part was made."""
    told = {part["node"] for part in made_parts(facts)}
    return [c["node"] for c in facts["contributors"] if c["node"] not in told]


def _read(body: Mapping[str, Any]) -> dict[str, Any]:
    """A contribution with nothing in it but what it should hold. Raises `KeyError`, `TypeError` or `NotValid`."""
    algorithm, approvals = body["algorithm"], list(body["approvals"])
    if len(approvals) > MOST_APPROVALS:
        raise errors.NotValid("A contribution tells of more approvals than a visit can have.")
    return {
        **{name: _line(body[name]) for name in ("node", "dataset", "study", "stage", "software")},
        **{name: _form(_HASH, body[name]) for name in ("announcement", "rules")},
        "program": _line(body["program"]),
        "algorithm": {
            **{name: _line(algorithm[name]) for name in ("name", "version")},
            **{name: _form(f"sha256:{_HASH}", algorithm[name]) for name in ("identity", "manifest")},
        },
        "input": _form(f"hmac-sha256:{_HASH}", body["input"]),
        "approvals": [
            {
                "role": _form("[a-z]{1,20}", told["role"]),
                "content": _form(f"sha256:{_HASH}", told["content"]),
                "day": _form(r"\d{4}-\d{2}-\d{2}", told["day"]),
            }
            for told in approvals
        ],
        "signature": _form("[0-9a-f]{128}", body["signature"]),
    }


def _line(value: object) -> str:
    """A short text without control characters. Raises `NotValid`."""
    if not isinstance(value, str) or not _LINE.fullmatch(value):
        raise errors.NotValid("A contribution holds what is no line of text.")
    return value


def _form(pattern: str, value: object) -> str:
    """A text of this form. Raises `NotValid`."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise errors.NotValid("A contribution holds a value of another form.")
    return value
