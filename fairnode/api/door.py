"""The routes of the API, made from `openapi.yaml`, and what happens before and after every operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from flask import Blueprint, Response, redirect, request

from fairnode import clock, errors
from fairnode.api import auditing, deciding, finding, reviewing, studying
from fairnode.api.call import Answer, Call, Door
from fairnode.api.contract import Operation, check_body, check_values, document, operations, read_query
from fairnode.door.asking import bearer, json_body
from fairnode.keys import digest
from fairnode.metadata.shelf import Shelf
from fairnode.node import Node
from fairnode.people import who_token
from fairnode.records.rows import Repeat

HANDLERS: Mapping[str, Callable[[Call], Answer]] = {
    name: function
    for module in (auditing, deciding, finding, reviewing, studying)
    for name, function in vars(module).items()
    if callable(function) and getattr(function, "__module__", "") == module.__name__ and name[0] != "_"
}


def make_blueprint(node: Node, shelf: Shelf) -> Blueprint:
    """One route for each operation of the file; an operation without a function is an error here."""
    routes = Blueprint("api", __name__)
    door = Door(node, shelf)
    for operation in operations():
        rule = operation.path.replace("{", "<").replace("}", ">")
        view = partial(_answer, door, operation, HANDLERS[operation.name])
        routes.add_url_rule(rule, operation.name, view, methods=[operation.method])
    routes.add_url_rule("/openapi.json", "description", _description)
    routes.add_url_rule("/api/v1", "beginning", partial(redirect, f"{node.iri}/openapi.json", 303))
    return routes


def _description() -> Response:
    """The OpenAPI document as JSON."""
    body = json.dumps(document(), ensure_ascii=False)
    response = Response(body, mimetype="application/vnd.oai.openapi+json")
    response.headers["Content-Type"] = "application/json"
    response.set_etag(digest(body.encode())[:32])
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.make_conditional(request)
    return response


def _answer(door: Door, operation: Operation, handler: Callable[[Call], Answer], **values: str) -> Response:
    """Who asks, then what was sent, then the operation; a repeated POST gets its first answer again."""
    token, person = "", None
    if not operation.public or "Authorization" in request.headers:
        token = bearer()
        person = who_token(door.node, token)
    check_values(operation, values, request.headers)
    query = read_query(operation, request.args)
    body = None
    if operation.body is not None:
        body = json_body()
        check_body(operation, body)
    call = Call(door, person, token, values, query, body)
    key = request.headers.get("Idempotency-Key")
    if operation.method == "POST" and key and person:
        return _once(call, f"{person.id} {key}", handler)
    return _finished(handler(call).response())


def _finished(response: Response) -> Response:
    """Answers of the API are for the asker alone; a GET has a validator."""
    response.headers["Cache-Control"] = "private, no-cache"
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        response.set_etag(digest(response.get_data())[:32])
        response.vary.update(["Accept", "Authorization"])
        response.make_conditional(request)
    return response


def _remember(node: Node, row: Repeat) -> None:
    """Keep an answer for a week; forget a few of the older ones."""
    old = clock.later(-7 * 86400)
    with node.store.write() as tx:
        for known in tx.find(Repeat, order="created", limit=20):
            if known.created < old:
                tx.remove(known)
        if tx.get(Repeat, row.id) is None:
            tx.add(row)


def _once(call: Call, key: str, handler: Callable[[Call], Answer]) -> Response:
    """Do a POST once under its key. Raises `NotValid` when the key came with another request before."""
    name = digest(key.encode())
    asked = digest(b"\0".join([request.method.encode(), request.path.encode(), request.get_data()]))
    with call.node.store.read() as reader:
        known = reader.get(Repeat, name)
    if known is None:
        answer = handler(call)
        location = answer.location.encode()
        row = Repeat(name, asked, answer.status, location + b"\n" + answer.body(), clock.now())
        _remember(call.node, row)
        return _finished(answer.response())
    if known.request != asked:
        raise errors.NotValid("This Idempotency-Key was used for another request.", to_do="Take a new one.")
    place, _, body = known.answer.partition(b"\n")
    response = Answer(body, known.status, place.decode()).response()
    response.headers["Idempotency-Replayed"] = "true"
    return _finished(response)
