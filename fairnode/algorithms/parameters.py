"""What a manifest may say of a study's parameters: a JSON Schema of these keywords, and no larger than that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from fairnode.errors import Finding

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


def parameter_faults(schema: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each thing that a schema of parameters may not be."""
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
