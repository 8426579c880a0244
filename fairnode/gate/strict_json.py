"""Reads the one file that a container may leave, as strictly as can be, within limits.

The standard parser does the parsing; what it would let through (duplicate keys, NaN, endless integers,
depth, invisible characters) is refused before or while it runs. What is read is never echoed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from math import isfinite
from typing import Any

from fairnode.gate.refusals import Refusal, Refused

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_ITEMS = 20_000
MAX_INTEGER_DIGITS = 15
MAX_NUMBER_LENGTH = 40

# A JSON string with what is inside it, closed or not, and possessive: one pass over a hostile file.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
# Control, format, surrogate, private use and unassigned characters carry hidden messages or hide others.
_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def read(
    raw: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS
) -> Any:
    """The JSON value in `raw`; raises `Refused` for anything that a well-meaning program would not write."""
    if len(raw) > max_bytes:
        raise Refused(Refusal.TOO_LARGE)
    text = _text(raw)
    _check_size(text, max_depth, max_items)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except ValueError:
        raise Refused(Refusal.NOT_JSON) from None
    _check_texts(value)
    return value


def _text(raw: bytes) -> str:
    """`raw` as text, if it is UTF-8 without byte order mark."""
    try:
        text = raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise Refused(Refusal.NOT_TEXT) from None
    if text.startswith("\ufeff"):
        raise Refused(Refusal.NOT_TEXT)
    return text


def _check_size(text: str, max_depth: int, max_items: int) -> None:
    """Refuse what is nested too deeply or has too many items, before the parser recurses into it."""
    depth = items = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            items += 1
            if depth > max_depth:
                raise Refused(Refusal.TOO_DEEP)
        elif character in "]}":
            depth -= 1
        elif character == ",":
            items += 1
    if items > max_items:
        raise Refused(Refusal.TOO_MANY_ITEMS)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Refusal.DUPLICATE_KEY)
    return found


def _integer(literal: str) -> int:
    if len(literal.removeprefix("-")) > MAX_INTEGER_DIGITS or literal == "-0":
        raise Refused(Refusal.NUMBER_FORM)
    return int(literal)


def _float(literal: str) -> float:
    if len(literal) > MAX_NUMBER_LENGTH:
        raise Refused(Refusal.NUMBER_FORM)
    value = float(literal)
    if not isfinite(value) or (value == 0 and literal.startswith("-")):
        raise Refused(Refusal.NUMBER_FORM)
    return value


def _constant(_name: str) -> float:
    """NaN, Infinity and -Infinity are no JSON."""
    raise Refused(Refusal.NUMBER_FORM)


def _check_texts(value: Any) -> None:
    """Refuse a text, key or value, that is not what it looks like."""
    if isinstance(value, str):
        odd = any(unicodedata.category(character) in _FORBIDDEN for character in value)
        if odd or unicodedata.normalize("NFC", value) != value:
            raise Refused(Refusal.CHARACTER)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
