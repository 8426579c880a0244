"""The SPARQL 1.1 protocol at /sparql: queries only, answered by `fairnode.discovery.sparql`."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from fairnode import errors
from fairnode.discovery.sparql import ask
from fairnode.door.answer import WrongType
from fairnode.door.negotiate import NotOffered, choose
from fairnode.node import Node

TABLES = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
)
GRAPHS = ("text/turtle", "application/ld+json", "application/n-triples", "application/rdf+xml")
_ALIAS = {"application/json": TABLES[0], "application/xml": TABLES[1], "text/xml": TABLES[1]}
_SHORT = {
    "json": (TABLES[0], GRAPHS[1]),
    "xml": (TABLES[1], GRAPHS[3]),
    "csv": (TABLES[2], GRAPHS[0]),
    "tsv": (TABLES[3], GRAPHS[0]),
    "ttl": (TABLES[0], GRAPHS[0]),
    "nt": (TABLES[0], GRAPHS[2]),
}


def make_blueprint(node: Node) -> Blueprint:
    """The route /sparql."""
    routes = Blueprint("sparql", __name__)
    routes.add_url_rule("/sparql", "sparql", partial(_answer, node), methods=["GET", "POST"])
    return routes


def _answer(node: Node) -> Response:
    """Answer one query."""
    query = _query()
    form, graph_form = _forms()
    told = ask(node, query, form, graph_form)
    response = Response(told.body)
    response.headers["Content-Type"] = f"{told.form}; charset=utf-8" if "text/" in told.form else told.form
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _query() -> str:
    """The query in the address, in a form, or as the body. Raises an error with status 400 or 415."""
    if request.method == "GET":
        found = request.args.get("query", "")
    elif request.mimetype == "application/sparql-query":
        found = request.get_data().decode("utf-8", "replace")
    elif request.mimetype == "application/x-www-form-urlencoded":
        found = request.form.get("query", "")
    else:
        raise WrongType(
            "A query is sent as application/sparql-query, or as the field 'query' of a form.",
            to_do="SPARQL updates are not taken.",
            takes="application/sparql-query, application/x-www-form-urlencoded",
        )
    if not found.strip():
        raise errors.FairnodeError(
            "There is no query.", to_do="Ask with ?query=SELECT..., or POST it as application/sparql-query."
        )
    return found


def _forms() -> tuple[str, str]:
    """The media types wanted: of a table or truth value, and of statements.

    Which of the two the answer is, only the query tells; a type that is of no use for it means the default.
    """
    short = request.args.get("format", "")
    if short in _SHORT:
        return _SHORT[short]
    accept = request.headers.get("Accept")
    wanted = choose(accept, [*TABLES, *_ALIAS, *GRAPHS])  # raises NotOffered where nothing at all fits
    return _best(accept, (*TABLES, *_ALIAS), wanted), _best(accept, GRAPHS, wanted)


def _best(accept: str | None, offers: tuple[str, ...], wanted: str) -> str:
    """The best of some offers, the first of them where none is accepted."""
    if wanted in offers:
        return _ALIAS.get(wanted, wanted)
    try:
        found = choose(accept, list(offers))
    except NotOffered:
        found = offers[0]
    return _ALIAS.get(found, found)
