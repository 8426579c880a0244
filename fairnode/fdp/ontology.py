"""The shared ontology as this node has it: Turtle for programs, pages for people.

The folder is served as `ontology/w3id/.htaccess` expects it, so that any node can stand in for the
published pages.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask import redirect, request
from werkzeug import Response

from fairnode import errors, vocabulary
from fairnode.door.answer import answer
from fairnode.door.negotiate import choose
from fairnode.fdp.represent import FdpDoor
from fairnode.keys import digest

_TYPES = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "html": "text/html",
    "css": "text/css",
}
_FOLDERS = ("codes", "shapes", "context", "site")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(ttl|jsonld|html|css)")
DAY = 86400


def ontology(door: FdpDoor, **_: str) -> Response:
    """The ontology: its pages for people, its classes in Turtle for programs."""
    wanted = choose(request.headers.get("Accept"), ("text/turtle", "text/html"))
    if wanted == "text/html":
        response: Response = redirect(f"{door.node.iri}/ontology/site/index.html", 303)
        response.vary.add("Accept")
        return response
    return file(door, "core.ttl")


def file(door: FdpDoor, name: str, folder: str = "", **_: str) -> Response:
    """One file of the ontology. Raises `NotFound`, also for a file that is not meant to be served."""
    del door
    kind = _NAME.fullmatch(name)
    if kind is None or (folder and folder not in _FOLDERS) or (not folder and kind[1] != "ttl"):
        raise errors.NotFound("The ontology has no such file.")
    found = _read(folder, name)
    if found is None:
        raise errors.NotFound("The ontology has no such file.")
    content, tag = found
    return answer(content, _TYPES[kind[1]], tag, seconds=DAY)


@lru_cache(maxsize=16)
def _read(folder: str, name: str) -> tuple[bytes, str] | None:
    """The bytes of a file and their validator."""
    path = vocabulary.folder() / folder / name
    if not path.is_file():
        return None
    content = path.read_bytes()
    return content, digest(content)[:32]
