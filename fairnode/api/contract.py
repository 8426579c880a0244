"""`openapi.yaml`, read once: operations, and the check of requests against their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml  # type: ignore[import-untyped]
from werkzeug.datastructures import Headers

from fairnode import errors

PREFIX = "/api/"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it is there: eight times as fast


@dataclass(frozen=True)
class Operation:
    """One method on one path. `body` is the schema of the request's JSON, `query` of its parameters,
    of which some are `needed`.
    """

    name: str
    method: str
    path: str
    public: bool
    body: Mapping[str, Any] | None
    query: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, Mapping[str, Any]]
    headers: Mapping[str, Mapping[str, Any]]
    needed: tuple[str, ...] = ()


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    text = (Path(__file__).parent.parent / "openapi.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=LOADER))  # noqa: S506


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the API, in the order of the file.

    The records' own addresses are described in the same file and answered by the RDF door.
    """
    return tuple(_operations())


def _operations() -> Iterator[Operation]:
    of_the_api = {path: told for path, told in document()["paths"].items() if path.startswith(PREFIX)}
    for path, methods in of_the_api.items():
        for method, told in methods.items():
            given = [_resolved(parameter) for parameter in told.get("parameters", ())]
            body = _resolved(told.get("requestBody", {}))
            yield Operation(
                name=told["operationId"],
                method=method.upper(),
                path=path,
                public=told.get("security") == [],
                body=body["content"]["application/json"]["schema"] if body else None,
                query={p["name"]: p["schema"] for p in given if p["in"] == "query"},
                values={p["name"]: p["schema"] for p in given if p["in"] == "path"},
                headers={p["name"]: p["schema"] for p in given if p["in"] == "header"},
                needed=tuple(p["name"] for p in given if p["in"] == "query" and p.get("required")),
            )


def _resolved(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of the document, followed through its `$ref`."""
    if "$ref" not in told:
        return told
    found: Any = document()
    for step in told["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


@cache
def _components() -> dict[str, Any]:
    return {"components": document()["components"]}


def faults(schema: Mapping[str, Any], value: object) -> tuple[errors.Finding, ...]:
    """What is wrong with a value, each with its place."""
    checker = jsonschema.Draft202012Validator({**schema, **_components()})
    found = sorted(checker.iter_errors(value), key=lambda e: [str(step) for step in e.absolute_path])
    return tuple(
        errors.Finding("/".join(map(str, f.absolute_path)) or "the whole", f.message[:300]) for f in found
    )


def check_body(operation: Operation, value: object) -> None:
    """Raise `NotValid` with findings unless the body is as the operation says."""
    found = faults(operation.body or {}, value)
    if found:
        raise errors.NotValid("The body does not have the form that this operation takes.", findings=found)


def read_query(operation: Operation, told: Mapping[str, str]) -> dict[str, Any]:
    """The query parameters as values. Raises an error of status 400 for one that is unknown or wrong."""
    read: dict[str, Any] = {
        name: schema["default"] for name, schema in operation.query.items() if "default" in schema
    }
    for name, text in told.items():
        if name not in operation.query:
            raise errors.FairnodeError(f"There is no parameter '{name[:50]}' here.")
        read[name] = _typed(operation.query[name], text, name)
    for name in operation.needed:
        if name not in read:
            raise errors.FairnodeError(f"The parameter '{name}' is missing.")
    return read


def check_values(operation: Operation, values: Mapping[str, str], headers: Headers) -> None:
    """Raise `NotFound` for a part of the path, or status 400 for a header, without the agreed form."""
    for name, schema in operation.values.items():
        if faults(schema, values[name]):
            raise errors.NotFound("There is nothing of that name here.")
    for name, schema in operation.headers.items():
        if name in headers and faults(schema, headers[name]):
            raise errors.FairnodeError(f"The header {name} does not have the agreed form.")


def _typed(schema: Mapping[str, Any], text: str, name: str) -> Any:
    """One query parameter: a whole number where the schema says so."""
    value: Any = text
    if schema.get("type") == "integer" and text.isascii() and text.isdigit() and len(text) < 10:
        value = int(text)
    if faults(schema, value):
        raise errors.FairnodeError(f"The parameter '{name}' does not have the agreed form.")
    return value
