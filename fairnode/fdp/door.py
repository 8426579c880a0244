"""The routes of the FAIR Data Point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, redirect, request
from werkzeug import Response

from fairnode.fdp import files, links, listing, ontology, pings, writes
from fairnode.fdp.represent import FdpDoor, document_at, represent

RECORDS = (
    "/",
    "/catalogue/",
    "/catalogue/<key>",
    "/catalogue/<key>/<child>/",
    "/dataset/<key>",
    "/dataset/<key>/distribution/",
    "/distribution/<key>",
    "/algorithm/<key>",
    "/service/visit",
    "/organisation",
    "/profile/<key>",
)

_READING: dict[str, Callable[..., Response]] = {
    "/dataset/<key>/record/<int:number>": files.version,
    "/dataset/<key>/record/": files.version_list,
    "/dataset/<key>/csvw.json": files.columns,
    "/sample/<key>.csv": files.sample,
    "/sample/<key>.parquet": files.sample_parquet,
    "/shapes/<key>": files.shapes,
    "/spec": files.all_shapes,
    "/rules": files.rules_page,
    "/rules.toml": files.rules_file,
    "/sitemap.xml": files.site_map,
    "/robots.txt": files.robots,
    "/persistence": files.persistence,
    "/health": files.health,
    "/healthz": files.health,
    "/actuator/health": files.health,
    "/actuator/info": files.info,
    "/label": files.label,
    "/search/filters": listing.facets,
    "/ontology": ontology.ontology,
    "/ontology/<name>": ontology.file,
    "/ontology/<folder>/<name>": ontology.file,
}


_CONTAINERS = ("/dataset", "/catalogue/data/dataset")
_WRITING = ("POST", "PUT", "PATCH", "DELETE")
_NEVER_WRITTEN = {"/catalogue": ("GET", "HEAD"), "/distribution": (), "/distribution/": (), "/meta/state": ()}
"""Where the reference implementation lets people write and this node never does, with what may be done."""


def make_blueprint(door: FdpDoor) -> Blueprint:
    """The routes below the node's root."""
    routes = Blueprint("fdp", __name__)
    for rule in RECORDS:
        under = rule.rstrip("/")
        routes.add_url_rule(
            rule, f"record {rule}", partial(_record, door), methods=["GET"], strict_slashes=False
        )
        routes.add_url_rule(f"{under}/linkset", f"linkset {rule}", partial(_linkset, door))
    for rule, view in _READING.items():
        routes.add_url_rule(rule, f"file {rule}".replace(".", " "), partial(view, door))
    _add_listing(routes, door)
    _add_writing(routes, door)
    routes.add_url_rule(
        "/v3/api-docs", "description", partial(redirect, f"{door.node.iri}/openapi.json", 308)
    )
    routes.after_request(partial(_say_what_is_taken, door))
    return routes


def _add_listing(routes: Blueprint, door: FdpDoor) -> None:
    """Pages of children, states and parents of each kind of record."""
    for rule in ("", "/catalogue/<key>", "/dataset/<key>", "/distribution/<key>"):
        for end, view in (("page/<child>", _page), ("meta", _meta), ("expanded", _expanded)):
            routes.add_url_rule(f"{rule}/{end}", f"{end} {rule}", partial(view, door))
    routes.add_url_rule("/search", "search", partial(listing.find, door), methods=["POST"])
    for kind in ("catalogue", "dataset", "distribution"):
        routes.add_url_rule(f"/{kind}/spec", f"spec {kind}", partial(files.shapes, door, key=kind))


def _say_what_is_taken(door: FdpDoor, response: Response) -> Response:
    """Where records are written: which type is taken, and what a record must have (LDP 4.2.1.6 and 5.2.3)."""
    path = request.path.rstrip("/")
    if path in _CONTAINERS:
        response.headers.setdefault("Accept-Post", "text/turtle")
    if path in _CONTAINERS or (path.startswith("/dataset/") and request.method == "PUT"):
        told = response.headers.get("Link")
        response.headers["Link"] = ", ".join(filter(None, (told, links.constraints(door.node.iri))))
    return response


def _add_writing(routes: Blueprint, door: FdpDoor) -> None:
    """What custodians may do."""
    for rule in ("/dataset", "/dataset/", "/catalogue/data/dataset/"):
        routes.add_url_rule(rule, f"create {rule}", partial(writes.create, door), methods=["POST"])
    routes.add_url_rule("/dataset/", "datasets", partial(_datasets, door), strict_slashes=False)
    one = "/dataset/<key>"
    routes.add_url_rule(one, "replace", partial(writes.replace, door), methods=["PUT"])
    routes.add_url_rule(one, "remove", partial(writes.remove, door), methods=["DELETE"])
    routes.add_url_rule(f"{one}/meta/state", "state", partial(writes.set_state, door), methods=["PUT"])
    if door.node.config.harvest.welcome:
        routes.add_url_rule("/", "ping", partial(pings.take, door, pings.Pings()), methods=["POST"])
    for rule, methods in _NEVER_WRITTEN.items():
        reading = () if methods else ("GET",)
        routes.add_url_rule(
            rule, f"never {rule}", partial(writes.refuse, methods), methods=[*_WRITING, *reading]
        )


def _record(door: FdpDoor, **_: str) -> Response:
    """One record; with or without a slash at the end, the other form leads to the right one."""
    path = request.path
    other = path.rstrip("/") if path != "/" and path.endswith("/") else f"{path}/"
    found = door.shelf.get(path)
    if found is None and door.shelf.get(other) is not None:
        return redirect(door.node.iri + other, 308)
    return represent(door, found or document_at(door, path))


def _datasets(door: FdpDoor, **_: str) -> Response:
    """Where the datasets are listed."""
    return redirect(f"{door.node.iri}/catalogue/data/dataset/", 308)


def _linkset(door: FdpDoor, **_: str) -> Response:
    """The link set of a record."""
    path = request.path.removesuffix("/linkset") or "/"
    document = door.shelf.get(path) or document_at(door, f"{path}/")
    return listing.linkset_json(links.linkset(document, door.publisher), document.modified)


def _page(door: FdpDoor, child: str, **_: str) -> Response:
    """The children of a record."""
    return listing.page(door, child, request.path.removesuffix(f"/page/{child}") or "/")


def _meta(door: FdpDoor, **_: str) -> Response:
    """The state of a record."""
    return listing.meta(door, request.path.removesuffix("/meta") or "/")


def _expanded(door: FdpDoor, **_: str) -> Response:
    """A record with all above it."""
    return listing.expanded(door, request.path.removesuffix("/expanded") or "/")
