"""Reading a request: who asks, with which token, and numbers and JSON that may be wrong."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from fairnode import errors
from fairnode.door.answer import WrongType
from fairnode.node import Node
from fairnode.people import who_token
from fairnode.records.rows import Person

_AS_JSON = "Send it with Content-Type: application/json."


def bearer() -> str:
    """The token of `Authorization: Bearer`. Raises `NotKnown` when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.NotKnown(
            "This needs a token.", to_do="Send the header 'Authorization: Bearer ' with your API token."
        )
    return token.strip()


def asker(node: Node) -> Person:
    """The person whose token came with the request. Raises `NotKnown`."""
    return who_token(node, bearer())


def number(name: str, default: int, least: int, most: int) -> int:
    """A number from the query string. Raises an error with status 400 when it is none, or out of bounds."""
    told = request.args.get(name)
    if told is None:
        return default
    if not told.isascii() or not told.isdigit() or len(told) > 9 or not least <= int(told) <= most:
        raise errors.FairnodeError(f"'{name}' must be a whole number from {least} to {most}.")
    return int(told)


def json_body() -> Any:
    """The JSON of the request. Raises `WrongType` for another type, status 400 for broken JSON."""
    if request.mimetype != "application/json":
        raise WrongType("JSON is taken here.", to_do=_AS_JSON, takes="application/json")
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise errors.FairnodeError("The body is not JSON.") from error
