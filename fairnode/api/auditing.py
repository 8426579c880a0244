"""Operations on the ledger: heads for witnesses, lines for auditors."""

from __future__ import annotations

import json
from typing import Any

from fairnode import errors
from fairnode.api.call import Answer, Call
from fairnode.ledger.shown import shown_heads
from fairnode.people import check_role
from fairnode.records.rows import Head, LedgerLine, Role


def list_heads(call: Call) -> Answer:
    """The signed heads as others are shown them, newest first."""
    most, slot = call.query["limit"] + 1, call.node.config.settings.release_slot
    with call.node.store.read() as reader:
        found = shown_heads(reader, call.node.keys, slot, limit=most, after=_cursor(call))
    return _page(call, [(head.id, _head(head)) for head in found])


def list_lines(call: Call) -> Answer:
    """The lines, newest first."""
    check_role(call.person, Role.AUDITOR)
    with call.node.store.read() as reader:
        found = reader.find(LedgerLine, order="-id", limit=call.query["limit"] + 1, after=_cursor(call))
    return _page(call, [(line.id, _line(line)) for line in found])


def _cursor(call: Call) -> int | None:
    """The number after which the page starts. Raises status 400 for a cursor that is none."""
    told = call.query.get("cursor")
    if told is None:
        return None
    if not told.isascii() or not told.isdigit() or len(told) > 15:
        raise errors.FairnodeError("This cursor leads nowhere.", to_do="Begin again without one.")
    return int(told)


def _page(call: Call, found: list[tuple[int, dict[str, Any]]]) -> Answer:
    """A page of numbered things; one more than asked for was looked up to see whether there is a next."""
    here = found[: call.query["limit"]]
    return Answer(
        {"items": [told for _, told in here], "next": str(here[-1][0]) if len(found) > len(here) else None}
    )


def _head(head: Head) -> dict[str, Any]:
    """A head as witnesses keep it."""
    return {"size": head.id, "root": head.root, "at": head.at, "signature": head.signature}


def _line(line: LedgerLine) -> dict[str, Any]:
    """A line without its commitments."""
    told = json.loads(line.body)
    return {name: told[name] for name in ("number", "at", "kind", "subject", "study", "actor")}
