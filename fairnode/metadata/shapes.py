"""The SHACL shapes that this node publishes, by the kind of record they are for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fairnode import vocabulary

# kind -> what its profile is a profile of
PROFILES: Mapping[str, str] = {
    "fdp": "https://w3id.org/fdp/fdp-o#",
    "catalogue": "http://data.europa.eu/r5r/",
    "dataset": "http://data.europa.eu/r5r/",
    "description": "http://data.europa.eu/r5r/",
    "distribution": "http://data.europa.eu/r5r/",
    "algorithm": "http://data.europa.eu/r5r/",
}

_DESCRIPTION = ("dataset", "contact", "distribution", "policy", "rules-dataset", "rules-policy")
_FILES: Mapping[str, tuple[str, ...]] = {
    "fdp": ("root", "contact"),
    "catalogue": ("catalogue", "contact"),
    "dataset": (*_DESCRIPTION, "visitable", "binding"),
    "description": _DESCRIPTION,
    "distribution": ("distribution",),
    "algorithm": ("algorithm",),
}


@cache
def shapes(kind: str) -> bytes | None:
    """The shapes of a kind of record as Turtle; None when there are none."""
    if kind not in _FILES:
        return None
    return b"\n".join((vocabulary.folder() / "shapes" / f"{name}.ttl").read_bytes() for name in _FILES[kind])


@cache
def all_shapes() -> bytes:
    """The shapes of every kind in one document, each file once."""
    names = dict.fromkeys(name for files in _FILES.values() for name in files)
    return b"\n".join((vocabulary.folder() / "shapes" / f"{name}.ttl").read_bytes() for name in names)
