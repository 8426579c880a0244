"""SPARQL over all records that this node knows, for machines: read-only, in a child process with limits."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from fairnode import errors
from fairnode.child import Ended, run_child
from fairnode.discovery.index import bring_up_to_date, search_index
from fairnode.discovery.place import NOTE
from fairnode.node import Node

LARGEST_QUERY = 20_000
LARGEST_ANSWER = 8 * 1024 * 1024
SECONDS = 10
MEMORY_MIB = 1024
AT_ONCE = 2
_MOST_BEHIND = 2_000
_SERVICE = re.compile(r"(?<![\w:?$])service(?!\w)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")
_ROOM = threading.BoundedSemaphore(AT_ONCE)


class TooHeavy(errors.FairnodeError):
    """The query takes more than it is given."""

    code = "too-heavy"
    title = "The query takes too long or too much"


class Busy(errors.FairnodeError):
    """Others are asking already."""

    code = "busy"
    title = "Too many queries at once"
    http_status = 429
    exit_code = 6


@dataclass(frozen=True)
class Answer:
    """The answer to a query: its media type and its text."""

    form: str
    body: str


def check_query(query: str) -> None:
    """Raise `NotValid` for a query that is too long, or that would have this node call others.

    The word SERVICE is refused wherever it might be the keyword, also within texts: a check that tried to
    be cleverer would have to read SPARQL exactly as the engine does.
    """
    if not query.strip() or len(query) > LARGEST_QUERY:
        raise errors.NotValid(f"A query has 1 to {LARGEST_QUERY} characters.")
    plain = _ESCAPE.sub(lambda found: _character(found[1] or found[2]), query)
    if _SERVICE.search(plain):
        raise errors.NotValid(
            "The query holds the word SERVICE, and this node asks no other for you.",
            to_do="Ask the other node yourself. Within a text, write the word as 'servic'.",
        )


def _character(number: str) -> str:
    """The character of an escape; a blank where there is none."""
    value = int(number, 16)
    return chr(value) if value < 0x110000 else " "


def ask(node: Node, query: str, form: str, graph_form: str) -> Answer:
    """Answer a query: a table or truth value in `form`, statements in `graph_form` (media types).

    Raises `NotValid` for what is no query, `TooHeavy` for one that is ended, `Busy`, `Unavailable`.
    """
    check_query(query)
    if not _ROOM.acquire(blocking=False):
        raise Busy("Other queries are being answered.", to_do="Try again in a few seconds.")
    try:
        refresh(node, most=_MOST_BEHIND)
        job = {
            "directory": str(node.config.directory),
            "query": query,
            "form": form,
            "graph_form": graph_form,
            "seconds": SECONDS,
            "memory_mib": MEMORY_MIB,
            "largest": LARGEST_ANSWER,
        }
        told = run_child("sparql", job, spool=node.config.spool, seconds=SECONDS + 2)
    except Ended as error:
        raise TooHeavy(
            f"The query took longer than {SECONDS} seconds or more than {MEMORY_MIB} MiB, and was ended.",
            to_do="Ask for less: name a dataset or a property, and use LIMIT.",
            internal=error.internal,
        ) from error
    finally:
        _ROOM.release()
    return Answer(told["form"], told["body"])


def refresh(node: Node, most: int | None = None) -> int:
    """Bring the store of statements up to date with the records; how many were written anew.

    Raises `Unavailable` when more than `most` are due: that takes long and is the operator's to start.
    """
    bring_up_to_date(node)
    index = search_index(node)
    noted = index.notes().get(NOTE, "")
    due = len(index.changed(int(noted or 0))[1])
    if noted and not due:
        return 0
    if most is not None and due > most:
        raise errors.Unavailable(
            f"{due} records are not in the index for SPARQL yet.",
            to_do="The node's operator runs: fairnode harvest rebuild",
        )
    job = {"directory": str(node.config.directory)}
    return int(run_child("index", job, spool=node.config.spool, seconds=3600)["changed"])
