"""The JSON Schema of an `algorithm.toml`: every table and entry, with its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode.linkage import program as linkage
from fairnode.records.algorithm import TABULATE, StageKind, TableKind

# Patterns end with \Z, because Python's $ lets one line break through.
_NAME = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_-]{0,63}\Z"}
_NAME_OR_PARAMETER = r"^(parameter:)?[A-Za-z][A-Za-z0-9_-]{0,63}\Z"
_NAMES = {"type": "array", "items": _NAME, "uniqueItems": True, "maxItems": 64}
_LINE = {"type": "string", "minLength": 1, "maxLength": 200}
# A dimension of the algorithm's own, with its closed list: for tables of class B only.
_OWN_AXIS = {
    "type": "object",
    "properties": {
        "variable": _NAME,
        "codes": {"type": "array", "items": _LINE, "minItems": 1, "maxItems": 100, "uniqueItems": True},
    },
    "required": ["variable", "codes"],
    "additionalProperties": False,
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 5000}


def _table(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _bound(least: float, most: float, kind: str = "integer") -> dict[str, Any]:
    return {"type": kind, "minimum": least, "maximum": most}


SCHEMA = _table(
    {
        "algorithm": _table(
            {
                "name": {"type": "string", "pattern": r"^[a-z][a-z0-9-]{0,63}\Z"},
                "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?\Z"},
                "title": _LINE,
                "description": _TEXT,
                "licence": _LINE,
                "authors": {"type": "array", "items": _LINE, "minItems": 1, "maxItems": 50},
                "source": {"type": "string", "pattern": r"^https://", "maxLength": 500},
                "commit": {"type": "string", "pattern": r"^[0-9a-f]{40}([0-9a-f]{24})?\Z"},
                "method": _TEXT,
            },
            *("name", "version", "title", "description", "licence", "authors", "source"),
        ),
        "image": _table(
            {
                "identity": {"type": "string", "pattern": r"^sha256:[0-9a-f]{64}\Z"},
                "entrypoint": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 64},
            },
            "entrypoint",
        ),
        "node": _table({"program": {"enum": [linkage.NAME, TABULATE]}}, "program"),
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "items": _table(
                {
                    "name": _NAME,
                    "required": _NAMES,
                    "optional": _NAMES,
                    "any_dimensions": {"type": "boolean"},
                },
                "name",
            ),
        },
        "parameters": {"type": "object"},
        "launcher": _table(
            {
                "protocol": {"enum": ["vantage6-4", "vantage6-3", "run-context"]},
                "method": {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z"},
                "arguments": _NAMES,
                "directory": {"type": "string", "pattern": r"^/[A-Za-z0-9._/-]{0,200}\Z"},
                "environment": {
                    "type": "object",
                    "propertyNames": {"pattern": r"^[A-Z][A-Z0-9_]{0,63}\Z"},
                    "additionalProperties": {"type": "string", "maxLength": 500},
                },
                "absent": {"type": "number"},
                "tables": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": _LINE, "maxItems": 10},
                },
            },
            *("protocol", "method"),
        ),
        "outputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "items": _table(
                {
                    "id": _NAME,
                    "kind": {"enum": [kind.value for kind in TableKind]},
                    "input": _NAME,
                    "dimensions": {
                        "anyOf": [
                            _NAMES,
                            {"type": "string", "pattern": r"^parameter:[A-Za-z][A-Za-z0-9_]*\Z"},
                            {"type": "array", "items": _OWN_AXIS, "minItems": 1, "maxItems": 3},
                        ]
                    },
                    "unit": {"enum": ["registration", "person"]},
                    "measure": {"type": "string", "pattern": _NAME_OR_PARAMETER},
                    "merged": {"type": "boolean"},
                    "numerator": _table(
                        {"variable": _NAME, "in": {"type": "array", "items": _LINE, "minItems": 1}},
                        *("variable", "in"),
                    ),
                },
                *("id", "kind"),
            ),
        },
        "stages": _table(
            {
                "fits": {"type": "array", "items": {"enum": [s.value for s in StageKind]}, "minItems": 1},
                "programs": _NAMES,
            },
            "fits",
        ),
        "resources": _table(
            {
                "memory_mib": _bound(16, 1 << 20),
                "cpus": _bound(0.1, 256, "number"),
                "seconds": _bound(1, 7 * 86400),
                "pids": _bound(1, 4096),
                "output_kib": _bound(1, 16384),
            }
        ),
    },
    *("algorithm", "inputs", "stages"),
)
