"""Looking for datasets and algorithms."""

from __future__ import annotations

from flask import request

from fairnode import errors, vocabulary
from fairnode.algorithms.known import listed, manifest
from fairnode.discovery.search import Wanted
from fairnode.discovery.search import search as find
from fairnode.pages.desk import Desk, Page, show


def search(desk: Desk) -> Page:
    """Search the datasets of the whole network: by words, by the variables that they must have, by years."""
    query = " ".join(request.args.get("q", "").split())[:200]
    chosen = tuple(v for v in request.args.getlist("variable") if v in vocabulary.variables())
    years = tuple(
        int(y) for y in request.args.get("years", "")[:60].replace(",", " ").split() if y.isdecimal()
    )
    asked = bool(query or chosen or years)
    wanted = Wanted(words=tuple(query.split()), variables=chosen, years=years)
    return show(
        desk,
        "search.html",
        query=query,
        chosen=chosen,
        years=" ".join(map(str, years)),
        asked=asked,
        found=find(desk.node, wanted) if asked else [],
        variables=[v for v in vocabulary.variables().values() if v.kind in ("coded", "year", "integer")],
    )


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
