"""Reads an `algorithm.toml` into a `Manifest`, and checks parameters against it.

Every fault is a finding with its place, all at once, so that an author mends them in one go.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from fairnode.algorithms.manifest_schema import SCHEMA
from fairnode.errors import Finding, NotValid
from fairnode.letters import reads_as_written
from fairnode.linkage import program as linkage
from fairnode.records.algorithm import (
    Condition,
    InputNeed,
    Launcher,
    Manifest,
    OutputTable,
    Resources,
    StageKind,
    TableKind,
)

FILE = "algorithm.toml"
LARGEST = 256 * 1024
DEEPEST = 24
MOST_DOTS = 500  # in a line: the time that reading a key takes grows with the square of its parts
PARAMETER = "parameter:"
# What a study's parameters may be described with. No pattern (a regular expression can take for ever) and
# no reference (the library would fetch it).
KEYWORDS = frozenset(
    (
        *("$comment", "title", "description", "default", "examples", "type", "enum", "const"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "items", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "maxProperties"),
    )
)
_MORE_LINES = ("description", "method", "$comment")


def read_manifest(text: bytes) -> Manifest:
    """The manifest in the bytes of an `algorithm.toml`. Raises `NotValid` with a finding for each fault."""
    if len(text) > LARGEST:
        raise NotValid(f"The manifest is larger than {LARGEST} bytes.")
    if max(line.count(b".") for line in text.split(b"\n")) > MOST_DOTS:
        raise NotValid(f"The manifest has a line with more than {MOST_DOTS} dots.", to_do="Write it flatter.")
    try:
        told = tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotValid(f"The manifest is not TOML: {error}.", to_do="Mend algorithm.toml there.") from error
    if _is_deep(told):
        raise NotValid(f"The manifest is nested more than {DEEPEST} deep.", to_do="Write it flatter.")
    findings = [*_faults(SCHEMA, told)] or [*_odd_texts(told)]
    findings = findings or [*_parameter_faults(told.get("parameters", {}))] or [*_loose_ends(told)]
    if findings:
        raise NotValid(
            "The manifest does not have the agreed form.",
            to_do="docs/algorithms.md describes every entry of algorithm.toml.",
            findings=tuple(findings),
        )
    return _manifest(told)


def with_identity(text: bytes, identity: str) -> bytes:
    """The manifest in `text`, with the identity of the image that was built from its source.

    Raises `NotValid` for a manifest that is not valid, or that names another identity already.
    """
    before = read_manifest(text)
    if before.identity and before.identity != identity:
        raise NotValid(
            "The manifest names another image than the one that was built.",
            to_do="Take the line `identity` out of algorithm.toml, or build from the source that it names.",
        )
    line = f'[image]\nidentity = "{identity}"\n'.encode()
    bound = text if before.identity else re.sub(rb"(?m)^\[image\][^\n]*\n", line, text, count=1)
    if read_manifest(bound).identity != identity:
        raise NotValid("The manifest has no table that begins with a line `[image]`.")
    return bound


def check_parameters(manifest: Manifest, parameters: Mapping[str, Any]) -> None:
    """Raise `NotValid` unless a study's `parameters` are as the manifest's JSON Schema says."""
    findings = tuple(_faults(manifest.parameters, dict(parameters)))
    if findings:
        raise NotValid(
            f"The parameters are not what the algorithm {manifest.name} takes.",
            to_do="Its page lists the parameters and what each may be.",
            findings=findings,
        )


def _is_deep(told: object) -> bool:
    """Whether something is nested deeper than `DEEPEST`, found without going down there."""
    level = [told]
    for _ in range(DEEPEST):
        below = [list(x.values()) if isinstance(x, dict) else x for x in level if isinstance(x, dict | list)]
        level = [part for parts in below for part in parts]
    return bool(level)


def _faults(schema: Mapping[str, Any], told: object) -> Iterator[Finding]:
    found = jsonschema.Draft202012Validator(schema).iter_errors(told)
    for error in sorted(found, key=lambda e: [str(step) for step in e.absolute_path]):
        where = ".".join(str(step) for step in error.absolute_path) or "the whole"
        yield Finding(where, error.message[:300])


def _odd_texts(told: object, where: str = "") -> Iterator[Finding]:
    """Texts, keys included, that are not what the people who read them see."""
    if isinstance(told, str):
        if not reads_as_written(told, lines=where.split(".")[-1] in _MORE_LINES or ".entrypoint." in where):
            yield Finding(
                where.lstrip("."), "has characters that are invisible or do something to a terminal"
            )
    elif isinstance(told, dict):
        for key, value in told.items():
            if reads_as_written(key):
                yield from _odd_texts(value, f"{where}.{key}")
            else:
                yield Finding(where.lstrip("."), "has an entry whose name cannot be read")
    elif isinstance(told, list):
        for number, value in enumerate(told):
            yield from _odd_texts(value, f"{where}.{number}")


def _parameter_faults(schema: Mapping[str, Any]) -> Iterator[Finding]:
    unknown = sorted(_keywords(schema) - KEYWORDS)
    if unknown:
        yield Finding("parameters", f"uses {', '.join(unknown)}; only these are known: {sorted(KEYWORDS)}")
    elif len(json.dumps(schema, default=str)) > 64 * 1024:
        yield Finding("parameters", "is larger than 64 KiB")
    else:
        try:
            jsonschema.Draft202012Validator.check_schema(dict(schema))
        except jsonschema.SchemaError as error:
            where = ".".join(["parameters", *(str(step) for step in error.absolute_path)])
            yield Finding(where, error.message[:300])


def _keywords(schema: object) -> set[str]:
    """All keywords in a schema and in those below it; the names of properties are not keywords."""
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    properties = schema.get("properties")
    below = list(properties.values()) if isinstance(properties, dict) else []
    below += [schema.get("items"), schema.get("additionalProperties")]
    return found.union(*(_keywords(part) for part in below))


def _loose_ends(told: Mapping[str, Any]) -> Iterator[Finding]:
    """What no schema sees: names that refer to nothing, and tables without what their kind needs."""
    yield from _what_runs(told)
    inputs = [i["name"] for i in told["inputs"]]
    tables = [o["id"] for o in told.get("outputs", [])]
    for what, names in (("inputs", inputs), ("outputs", tables)):
        for name in sorted({n for n in names if names.count(n) > 1}):
            yield Finding(what, f"{name!r} is there twice")
    parameters = told.get("parameters", {}).get("properties", {})
    for number, output in enumerate(told.get("outputs", [])):
        where = f"outputs.{number}"
        if output.get("input", inputs[0]) not in inputs:
            yield Finding(f"{where}.input", f"there is no input {output['input']!r}")
        dimensions = output.get("dimensions", [])
        if isinstance(dimensions, str) and dimensions.removeprefix(PARAMETER) not in parameters:
            yield Finding(f"{where}.dimensions", f"there is no {dimensions.replace(':', ' ')!r}")
        if _own_axes(output) and output["kind"] != "other":
            yield Finding(f"{where}.dimensions", "with codes of their own belong to kind 'other' only")
        yield from _loose_measure(output, where, parameters)
        if "launcher" in told and output["kind"] != "other":
            yield Finding(f"{where}.kind", "is 'other' for an algorithm of another platform")
        if (output["kind"] == "proportion") != ("numerator" in output):
            yield Finding(f"{where}.numerator", "belongs to a proportion, and only there")


def _what_runs(told: Mapping[str, Any]) -> Iterator[Finding]:
    """An image puts out tables, and `tabulate` counts them; keys are no table."""
    if ("image" in told) == ("node" in told):
        yield Finding("image", "an algorithm is either an image or, in [node], a program of the node")
    elif (told.get("node", {}).get("program") != linkage.NAME) != ("outputs" in told):
        yield Finding("outputs", "belong to an image or to tabulate, and to each of these")
    if "node" in told and any(output["kind"] != "count" for output in told.get("outputs", [])):
        yield Finding("outputs", "of a program of the node are counts")


def _loose_measure(output: Mapping[str, Any], where: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the numbers of one table, as far as its kind says."""
    kind, measure, dimensions = output["kind"], output.get("measure", ""), output.get("dimensions", [])
    if measure.startswith(PARAMETER) and measure.removeprefix(PARAMETER) not in parameters:
        yield Finding(f"{where}.measure", f"there is no {measure.replace(':', ' ')!r}")
    if (kind in ("sum", "mean", "spread")) != ("measure" in output):
        yield Finding(f"{where}.measure", "belongs to a sum, a mean or a spread, and only there")
    if output.get("merged") and kind != "count":
        yield Finding(f"{where}.merged", "belongs to counts only")
    if kind == "pair" and isinstance(dimensions, list) and len(dimensions) != 2:
        yield Finding(f"{where}.dimensions", "of a pair are two variables")


def _manifest(told: Mapping[str, Any]) -> Manifest:
    about, image, stages = told["algorithm"], told.get("image", {}), told["stages"]
    return Manifest(
        name=about["name"],
        version=about["version"],
        title=about["title"],
        description=re.sub(r"\s+", " ", about["description"]).strip(),
        licence=about["licence"],
        authors=tuple(about["authors"]),
        source=about["source"],
        commit=about.get("commit", ""),
        method=about.get("method", ""),
        identity=image.get("identity", ""),
        entrypoint=tuple(image.get("entrypoint", ())),
        inputs=tuple(_input(i) for i in told["inputs"]),
        parameters=told.get("parameters", {"type": "object", "additionalProperties": False}),
        outputs=tuple(_output(o, told["inputs"][0]["name"]) for o in told.get("outputs", [])),
        stages=tuple(StageKind(s) for s in stages["fits"]),
        programs=tuple(stages.get("programs", ())),
        resources=Resources(**told.get("resources", {})),
        node_program=told.get("node", {}).get("program", ""),
        launcher=_launcher(told["launcher"]) if "launcher" in told else None,
    )


def _launcher(told: Mapping[str, Any]) -> Launcher:
    places = tuple((table, tuple(steps)) for table, steps in told.get("tables", {}).items())
    return Launcher(
        protocol=told["protocol"],
        method=told["method"],
        arguments=tuple(told.get("arguments", ())),
        tables=places,
        directory=told.get("directory", "/"),
        environment=tuple(sorted(told.get("environment", {}).items())),
        absent=told.get("absent"),
    )


def _input(told: Mapping[str, Any]) -> InputNeed:
    return InputNeed(
        name=told["name"],
        required=tuple(told.get("required", ())),
        optional=tuple(told.get("optional", ())),
        any_dimensions=told.get("any_dimensions", False),
    )


def _own_axes(output: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The dimensions of an output that bring their own codes."""
    told = output.get("dimensions", [])
    if isinstance(told, str):
        return ()
    return tuple((d["variable"], tuple(d["codes"])) for d in told if isinstance(d, dict))


def _output(told: Mapping[str, Any], first_input: str) -> OutputTable:
    dimensions, numerator = told.get("dimensions", []), told.get("numerator")
    given, measure = isinstance(dimensions, str), told.get("measure", "")
    asked = measure.startswith(PARAMETER)
    return OutputTable(
        id=told["id"],
        kind=TableKind(told["kind"]),
        input=told.get("input", first_input),
        dimensions=() if given else tuple(d if isinstance(d, str) else d["variable"] for d in dimensions),
        own_codes=_own_axes(told),
        dimensions_parameter=dimensions.removeprefix(PARAMETER) if given else "",
        unit=told.get("unit", ""),
        measure="" if asked else measure,
        measure_parameter=measure.removeprefix(PARAMETER) if asked else "",
        merged=told.get("merged", False),
        numerator=Condition(numerator["variable"], tuple(numerator["in"])) if numerator else None,
    )
