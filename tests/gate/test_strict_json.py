from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.strict_json import MAX_BYTES, read

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=8)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**15) + 1, 10**15 - 1), NAMES,
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: str(x) != "-0.0"),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def deep(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(deep, inner), default=0)


@given(VALUES.filter(lambda value: deep(value) <= 8))
def test_ordinary_json_is_read_as_it_is(value):
    assert read(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused(raw):
    with contextlib.suppress(Refused):
        read(raw)


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"[NaN]", Refusal.NUMBER_FORM),
        (b"[Infinity]", Refusal.NUMBER_FORM),
        (b"[-Infinity]", Refusal.NUMBER_FORM),
        (b"[1e999]", Refusal.NUMBER_FORM),
        (b"[-0]", Refusal.NUMBER_FORM),
        (b"[-0.0]", Refusal.NUMBER_FORM),
        (b"[1234567890123456]", Refusal.NUMBER_FORM),
        (b"[" + b"9" * 200_000 + b"]", Refusal.NUMBER_FORM),
        (b"[0." + b"1" * 60 + b"]", Refusal.NUMBER_FORM),
        (b'{"a": 1, "a": 2}', Refusal.DUPLICATE_KEY),
        (b'{"a": 1, "\\u0061": 2}', Refusal.DUPLICATE_KEY),
        (b"[1] [2]", Refusal.NOT_JSON),
        (b"", Refusal.NOT_JSON),
        (b"\x00", Refusal.NOT_JSON),
        (b"{'a': 1}", Refusal.NOT_JSON),
        (b"[1,]", Refusal.NOT_JSON),
        (b'["\n"]', Refusal.NOT_JSON),
        (b"\xef\xbb\xbf[1]", Refusal.NOT_TEXT),
        (b"[1]".decode().encode("utf-16"), Refusal.NOT_TEXT),
        (b'["\xff"]', Refusal.NOT_TEXT),
        (b'["\xed\xa0\x80"]', Refusal.NOT_TEXT),
        (b'["\\ud800"]', Refusal.CHARACTER),
        (b'["\\u0000"]', Refusal.CHARACTER),
        ('["a\u202eb"]'.encode(), Refusal.CHARACTER),
        ('["a\u200bb"]'.encode(), Refusal.CHARACTER),
        ('{"a\u200d": 1}'.encode(), Refusal.CHARACTER),
        ('["e\u0301"]'.encode(), Refusal.CHARACTER),
        ('["\ue000"]'.encode(), Refusal.CHARACTER),
        ('["\U000e0041"]'.encode(), Refusal.CHARACTER),
        (b"[" * 9 + b"]" * 9, Refusal.TOO_DEEP),
        (b"[" * 100_000, Refusal.TOO_DEEP),
        (b'{"a":' * 100_000, Refusal.TOO_DEEP),
        (b"[" + b"1," * 20_000 + b"1]", Refusal.TOO_MANY_ITEMS),
        (b"{" + b",".join(b'"%d":0' % i for i in range(60_000)) + b"}", Refusal.TOO_MANY_ITEMS),
        (b" " * (MAX_BYTES + 1), Refusal.TOO_LARGE),
    ],
)  # fmt: skip
def test_what_no_honest_program_writes_is_refused(raw, refusal):
    with pytest.raises(Refused) as told:
        read(raw)
    assert told.value.refusal is refusal


def test_brackets_and_commas_inside_texts_do_not_count():
    assert read(json.dumps(["[" * 50 + '"\\' + "," * 30_000]).encode()) == ["[" * 50 + '"\\' + "," * 30_000]


def test_a_file_that_only_opens_texts_is_refused_quickly():
    with pytest.raises(Refused):
        read(b'"\\' * 400_000)


def test_a_refusal_tells_outsiders_nothing():
    with pytest.raises(Refused) as told:
        read(b'["secret", NaN]')
    assert str(told.value) == "Not released."
    assert "number" in told.value.internal
    assert "secret" not in told.value.internal


def test_every_refusal_has_a_sentence():
    assert all(refusal.sentence.endswith(".") for refusal in Refusal)
