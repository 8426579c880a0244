"""Answers: bytes with a validator, and errors as problem+json."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Response, request

from fairnode import clock, errors

PROBLEMS = "https://w3id.org/fairnode/problem/"


class WrongType(errors.FairnodeError):
    """What was sent is of a type that is not taken here; `takes` is the media type that is."""

    code = "wrong-type"
    title = "This type is not taken here"
    http_status = 415

    def __init__(self, what: str, *, to_do: str = "", takes: str = "") -> None:
        super().__init__(what, to_do=to_do)
        self.takes = takes


class Gone(errors.FairnodeError):
    """It was here and was taken away for good."""

    code = "gone"
    title = "This was withdrawn"
    http_status = 410


class NotWritable(errors.FairnodeError):
    """The method does not exist for this resource."""

    code = "no-such-method"
    title = "This cannot be done with this resource"
    http_status = 405


class Outdated(errors.FairnodeError):
    """The version that the asker means is not the present one."""

    code = "outdated"
    title = "This was changed in the meantime"
    http_status = 412


_WITHOUT_CHARSET = (
    *("text/turtle", "application/ld+json", "application/n-triples", "application/rdf+xml"),
    "application/linkset+json",
)


def answer(
    body: bytes | str, mimetype: str, etag: str, modified: str = "", seconds: int = 60, status: int = 200
) -> Response:
    """A cacheable answer: strong ETag, Last-Modified, and 304 where the asker has it already.

    What is gone (`status` 410) is said every time: only what is there can be "not modified".
    """
    response = Response(body, status, mimetype=mimetype)
    if mimetype in _WITHOUT_CHARSET:
        response.headers["Content-Type"] = mimetype  # RDF types carry no charset; they are UTF-8
    response.set_etag(etag)
    if modified:
        response.last_modified = _moment(modified)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.vary.add("Accept")
    if status == 200:
        response.make_conditional(request)
    return response


@lru_cache(maxsize=1024)
def _moment(at: str) -> datetime:
    """A moment of ours as a datetime."""
    return clock.parse(at)


def json_answer(content: Any, status: int = 200) -> Response:
    """JSON that nobody but the asker may keep."""
    response = Response(json.dumps(content, ensure_ascii=False), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(error: errors.FairnodeError) -> Response:
    """The error as problem+json (RFC 9457), without what is internal."""
    told: dict[str, Any] = {
        "type": PROBLEMS + error.code,
        "title": error.title,
        "status": error.http_status,
        "detail": error.what,
    }
    if error.to_do:
        told["toDo"] = error.to_do
    if error.findings:
        told["findings"] = [{"where": f.where, "what": f.what} for f in error.findings]
    response = Response(json.dumps(told, ensure_ascii=False), error.http_status)
    response.headers["Content-Type"] = "application/problem+json"
    return with_headers(response, error)


def with_headers(response: Response, error: errors.FairnodeError) -> Response:
    """The headers that belong to an error, whatever its body is."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    if error.http_status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="fairnode"'
    if isinstance(error, WrongType) and error.takes:
        response.headers["Accept-Post"] = error.takes
    wait = getattr(error, "wait", 0)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response
