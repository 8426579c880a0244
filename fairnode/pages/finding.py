"""Looking for datasets and algorithms."""

from __future__ import annotations

from flask import request

from fairnode import errors
from fairnode.algorithms.known import listed, manifest
from fairnode.metadata.find import search as find
from fairnode.pages.desk import Desk, Page, show


def search(desk: Desk) -> Page:
    """Search in the records of this node."""
    query = " ".join(request.args.get("q", "").split())[:200]
    found = find(desk.shelf, query) if query else []
    return show(desk, "search.html", query=query, found=found)


def algorithms(desk: Desk) -> Page:
    """The algorithms that a study may name."""
    known = [(row, manifest(row)) for row in listed(desk.node) if row.state == "known"]
    return show(desk, "algorithms.html", known=known)


def algorithm(desk: Desk, key: str) -> Page:
    """One algorithm in plain words."""
    for row in listed(desk.node):
        if row.id == key and row.state == "known":
            return show(desk, "algorithm.html", row=row, manifest=manifest(row))
    raise errors.NotFound("This node knows no such algorithm.")
