"""Writing records: custodians with a token only, Turtle only, checked before anything changes."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from fairnode import errors
from fairnode.door.answer import Outdated, WrongType, json_answer
from fairnode.door.asking import asker, json_body
from fairnode.fdp.represent import FdpDoor
from fairnode.keys import digest
from fairnode.metadata.keep import DatasetState, add_dataset, change_dataset, dataset, withdraw_dataset
from fairnode.people import check_role
from fairnode.records.rows import Dataset, Role


def create(door: FdpDoor, **_: str) -> Response:
    """POST to the datasets' container: a new record, as a draft unless `?publish=true`."""
    custodian = _custodian(door)
    publish = request.args.get("publish") == "true"
    row = add_dataset(door.node, _turtle(), {}, custodian, publish=publish)
    door.shelf.forget()
    response = Response(row.record, 201)
    response.headers["Content-Type"] = "text/turtle"
    response.headers["Location"] = row.iri
    return response


def replace(door: FdpDoor, key: str, **_: str) -> Response:
    """PUT a dataset: another version of its record. `If-Match` guards against lost changes."""
    custodian = _custodian(door)
    before = dataset(door.node, key)
    _check_match(door, before)
    row = change_dataset(door.node, before.id, custodian, turtle=_turtle())
    door.shelf.forget()
    response = Response(row.record, 200)
    response.headers["Content-Type"] = "text/turtle"
    return response


def remove(door: FdpDoor, key: str, **_: str) -> Response:
    """DELETE a dataset: withdrawn, leaving a tombstone."""
    custodian = _custodian(door)
    _check_match(door, dataset(door.node, key))
    withdraw_dataset(door.node, key, custodian)
    door.shelf.forget()
    return Response(status=204)


def set_state(door: FdpDoor, key: str, **_: str) -> Response:
    """PUT {dataset}/meta/state: published, or a draft again."""
    custodian = _custodian(door)
    told = json_body()
    states = {"PUBLISHED": True, "DRAFT": False}
    wanted = told.get("current") if isinstance(told, dict) else None
    if not isinstance(wanted, str) or wanted not in states:
        raise errors.NotValid("The state is PUBLISHED or DRAFT.", to_do='Send {"current": "PUBLISHED"}.')
    row = change_dataset(door.node, key, custodian, publish=states[wanted])
    door.shelf.forget()
    return json_answer({"current": "PUBLISHED" if row.state == DatasetState.PUBLISHED else "DRAFT"})


def refuse(methods: Sequence[str], **_: str) -> Response:
    """Say that nothing is ever written here. Raises `MethodNotAllowed`, to readers `NotFound`."""
    if request.method in ("GET", "HEAD"):
        raise errors.NotFound("There is nothing at this address.")
    raise MethodNotAllowed([*methods, "OPTIONS"])


def _custodian(door: FdpDoor) -> str:
    """The id of the custodian whose token came along; asked before body or record is looked at."""
    person = asker(door.node)
    check_role(person, Role.CUSTODIAN)
    return person.id


def _turtle() -> bytes:
    """The Turtle of the request. Raises `WrongType`."""
    if request.mimetype != "text/turtle":
        raise WrongType(
            "Records are taken as Turtle.",
            to_do="Send it with Content-Type: text/turtle.",
            takes="text/turtle",
        )
    return request.get_data()


def _check_match(door: FdpDoor, row: Dataset) -> None:
    """Raise `Outdated` unless If-Match names a present representation (or the record's own hash)."""
    if not request.if_match:
        return
    shown = door.shelf.get(f"/dataset/{row.id}")
    tags = {digest(row.record)}
    if shown is not None:
        tags |= set(shown.etags.values())
    if not any(request.if_match.contains(tag) for tag in tags):
        raise Outdated("The record is no longer the one you mean.", to_do="Read it again, then change it.")
