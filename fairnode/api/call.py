"""One call of the API, as its operation sees it, and the forms of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response

from fairnode import errors
from fairnode.metadata.shelf import Shelf
from fairnode.node import Node
from fairnode.records.rows import Person

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Door:
    """What all calls have in common."""

    node: Node
    shelf: Shelf


@dataclass(frozen=True)
class Call:
    """Who asks (None: somebody without a token), with which token, and what was sent, checked already."""

    door: Door
    asker: Person | None
    token: str
    values: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any

    @property
    def node(self) -> Node:
        """The node."""
        return self.door.node

    @property
    def person(self) -> Person:
        """Who asks. Raises `NotKnown` for nobody."""
        if self.asker is None:
            raise errors.NotKnown("This needs a token.")
        return self.asker


@dataclass(frozen=True)
class Answer:
    """What a call answers: JSON, or other bytes of a media type of their own."""

    content: Any
    status: int = 200
    location: str = ""
    mimetype: str = "application/json"

    def body(self) -> bytes:
        """The bytes of the answer."""
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content, ensure_ascii=False).encode()

    def response(self) -> Response:
        """The answer as HTTP."""
        response = Response(self.body(), self.status, mimetype=self.mimetype)
        if self.location:
            response.headers["Location"] = self.location
        return response


def page(
    call: Call,
    things: Sequence[Thing],
    key: Callable[[Thing], str],
    tell: Callable[[Thing], dict[str, Any]],
) -> Answer:
    """A page of `things` after the cursor. Raises status 400 when the cursor leads nowhere."""
    limit, cursor = call.query["limit"], call.query.get("cursor")
    start = 0
    if cursor is not None:
        places = {key(thing): place for place, thing in enumerate(things)}
        if cursor not in places:
            raise errors.FairnodeError("This cursor leads nowhere.", to_do="Begin again without one.")
        start = places[cursor] + 1
    here = things[start : start + limit]
    more = start + limit < len(things)
    return Answer(
        {"items": [tell(thing) for thing in here], "next": key(here[-1]) if more and here else None}
    )
