"""Cases 42-51: results that no honest program writes. The bytes are read as those of a container are."""

from __future__ import annotations

import json

from fairnode.gate import strict_json
from fairnode.gate.compare import check_equal
from fairnode.gate.contract import read_result
from fairnode.gate.refusals import Refused
from fairnode.records.result import Recount, RecountedCell, RecountedTable
from fairnode.records.result_json import contract_from_json
from tests.hostile.case import Outcome, Target, case, contained, refused

CODES = ["NL-AM", "NL-DH"]
TABLE = {"id": "counts", "kind": "count", "unit": "person", "input": "records"}
CONTRACT = contract_from_json({"tables": [{**TABLE, "dimensions": [{"variable": "region", "codes": CODES}]}]})
HONEST = (12, 30)


def result(**changes: object) -> dict:
    """An honest result; `changes` replace parts of its only table."""
    cells = [{"k": [code], "n": n} for code, n in zip(CODES, HONEST, strict=True)]
    return {"type": "fairnode.result/1", "tables": [{"id": "counts", "cells": cells, **changes}]}


def cells(*told: dict) -> bytes:
    return json.dumps(result(cells=list(told))).encode()


def with_first(value: str) -> bytes:
    """An honest result with this JSON in the place of the first count."""
    return json.dumps(result()).replace('"n": 12', f'"n": {value}', 1).encode()


def with_code(code: str) -> bytes:
    return cells({"k": [code], "n": 12}, {"k": ["NL-DH"], "n": 30})


def extra(**more: object) -> bytes:
    return json.dumps({**result(), **more}).encode()


PLAIN = json.dumps(result()).encode()
BYTES: tuple[tuple[int, str, bytes], ...] = (
    (42, "NaN", with_first("NaN")),
    (42, "Infinity", with_first("-Infinity")),
    (42, "1e999", with_first("1e999")),
    (42, "minus nought", with_first("-0")),
    (42, "minus nought as a fraction", with_first("-0.0")),
    (43, "a hundred thousand deep", b"[" * 100_000),
    (43, "a hundred thousand deep and closed", b"[" * 100_000 + b"]" * 100_000),
    (43, "sixty thousand keys", json.dumps({str(i): i for i in range(60_000)}).encode()),
    (43, "a number of two hundred thousand digits", with_first("9" * 200_000)),
    (43, "a fraction of a thousand digits", with_first("0." + "1" * 1000)),
    (44, "a key twice", PLAIN.replace(b'"type"', b'"type": "x", "type"', 1)),
    (44, "something after the end", PLAIN + b"{}"),
    (44, "nothing", b" "),
    (44, "no object", b"[]"),
    (44, "a mark of byte order", b"\xef\xbb\xbf" + PLAIN),
    (44, "broken UTF-8", PLAIN.replace(b"NL-AM", b"NL-\xff")),
    (44, "another encoding", PLAIN.decode().encode("utf-16")),
    (45, "a nought in a text", with_code("NL-AM\0")),
    (45, "half a character", PLAIN.replace(b"NL-AM", b"\\ud800")),
    (45, "text that turns its direction", with_code("NL-\u202eMA")),
    (45, "an invisible character", with_code("NL\u200b-AM")),
    (45, "a letter that looks like another", with_code("NL-\u0410M")),
    (43, "a whole number of 4,400 digits", with_first("1" * 4400)),
    (43, "30,000 keys in one object", b"{" + b'"a": 1, ' * 30_000 + b'"b": 1}'),
    (43, "400,000 escapes in one text", b'"' + rb"\\" * 400_000),
    (44, "the same key twice, once escaped", PLAIN.replace(b'"n"', b'"n": 12, "\\u006e"', 1)),
    (44, "noughts to the end of the file", PLAIN + bytes(1000)),
    (44, "a space that is none in JSON", PLAIN + "\u00a0".encode()),
    (46, "Arabic digits", with_first("\u0661\u0662")),
    (46, "digits of full width", with_first("\uff11\uff12")),
    (46, "a count with a nought before it", with_first("012")),
    (46, "the largest number there is", with_first("1e308")),
    (46, "true as a count", with_first("true")),
    (46, "a fraction as a count", with_first("12.0")),
    (46, "a text as a count", with_first('"12"')),
    (46, "nothing as a count", with_first("null")),
    (46, "a count below nought", with_first("-12")),
    (47, "a key more in the result", extra(note="records: Jan")),
    (47, "a key more in a table", json.dumps(result(note="x")).encode()),
    (47, "a key more in a cell", cells({"k": ["NL-AM"], "n": 12, "x": 1}, {"k": ["NL-DH"], "n": 30})),
    (47, "the key __proto__", extra(__proto__={})),
    (47, "free text as a code", with_code("Jan, born 1990")),
    (47, "free text as the name of a table", json.dumps(result(id="Jan")).encode()),
    (48, "a cell less", cells({"k": ["NL-AM"], "n": 12})),
    (48, "a cell twice", cells(*[{"k": ["NL-AM"], "n": 12}] * 2, {"k": ["NL-DH"], "n": 30})),
    (48, "a cell with two codes", cells({"k": ["NL-AM", "NL-DH"], "n": 12}, {"k": ["NL-DH"], "n": 30})),
    (48, "a table twice", json.dumps({**result(), "tables": result()["tables"] * 2}).encode()),
    (48, "no table", json.dumps({**result(), "tables": []}).encode()),
    (48, "a mean where a count was agreed", cells(*({"k": [c], "n": 12, "v": 1.5} for c in CODES))),
    (49, "three more in a count: a message in low digits", with_first("15")),
    (50, "two counts exchanged", cells({"k": ["NL-AM"], "n": 30}, {"k": ["NL-DH"], "n": 12})),
)
# Freedom that is left to a writer and must not travel: spelling and order.
SPELT = (
    ("white space", json.dumps(result(), indent=7).encode()),
    ("escaped letters", PLAIN.replace(b"NL-AM", b"\\u004eL-AM")),
    ("another order of keys", json.dumps(result(), sort_keys=True).encode()),
    ("another order of cells", cells({"n": 30, "k": ["NL-DH"]}, {"n": 12, "k": ["NL-AM"]})),
)


def counted() -> Recount:
    """What the node counted itself."""
    told = tuple(RecountedCell((code,), n, rows=n, persons=n) for code, n in zip(CODES, HONEST, strict=True))
    return Recount((RecountedTable(CONTRACT.tables[0], told),), universe=sum(HONEST))


def judge(content: bytes) -> Outcome:
    """Refused with the reason, or read in full."""
    try:
        check_equal(read_result(strict_json.read(content), CONTRACT), counted())
    except Refused as error:
        return refused(True, error.refusal.value)
    return refused(False, "was taken")


def _spelt(content: bytes) -> Outcome:
    read = read_result(strict_json.read(content), CONTRACT)
    same = read == read_result(strict_json.read(PLAIN), CONTRACT)
    return contained(same, "read as the same records; the container's bytes go no further")


def _add() -> None:
    for number, attack, content in BYTES:
        case(number, f"a result with {attack}", "refused")(lambda _, c=content: judge(c))
    for attack, content in SPELT:
        case(51, f"a message in {attack}")(lambda _, c=content: _spelt(c))


_add()


@case(42, "an honest result is taken, or all of this proves nothing")
def honest(_: Target) -> Outcome:
    check_equal(read_result(strict_json.read(PLAIN), CONTRACT), counted())
    return contained(True, "read and equal to the node's own count")
