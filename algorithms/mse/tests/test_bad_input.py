"""Tables that are wrong, odd or too much: a sentence or a refusal, never a wrong number, never a hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mse import Settings, TableError, analyse, parse_table, to_json
from mse.methods import METHODS, Work, run

FOLDER = Path(__file__).parents[1]
FINE = "A,B,C,count\n1,0,0,50\n0,1,0,40\n0,0,1,30\n1,1,0,8\n1,0,1,7\n0,1,1,6\n1,1,1,2\n"


def start(path, *options, timeout=120):
    command = [sys.executable, "-m", "mse", str(path), *options]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=timeout, check=False)


WRONG = {
    "negative": ("A,B,C,count\n1,0,0,-5\n", r"Line 2: the count is negative \(-5\)"),
    "fraction": ("A,B,C,count\n1,0,0,2.5\n", "fraction"),
    "exponent": ("A,B,C,count\n1,0,0,1e3\n", "not a whole number"),
    "missing": ("A,B,C,count\n1,0,0,\n", "is missing"),
    "text": ("A,B,C,count\n1,0,0,<5\n", "not a whole number"),
    "nan": ("A,B,C,count\n1,0,0,nan\n", "not a whole number"),
    "duplicate": ("A,B,C,count\n1,0,0,5\n0,1,0,5\n1,0,0,5\n", "Line 4 repeats the pattern of line 2"),
    "all zero": ("A,B,C,count\n0,0,0,5\n1,0,0,3\n", "Line 2 counts persons on no list"),
    "all zero of nobody": ("A,B,C,count\n1,0,0,3\n0,0,0,0\n", "Line 3 counts persons on no list"),
    "nobody": ("A,B,C,count\n1,0,0,0\n", "counts nobody"),
    "header only": ("A,B,C,count\n", "counts nobody"),
    "empty": ("", "empty"),
    "blank": ("\n \n", "empty"),
    "no header": ("1,0,0,5\n0,1,0,6\n", "last column must be named `count`"),
    "count not last": ("count,A,B,C\n5,1,0,0\n", "last column must be named `count`"),
    "only count": ("count\n5\n", "no list"),
    "same name": ("A,A,C,count\n1,0,0,5\n", "'A' more than once"),
    "nameless": ("A,,C,count\n1,0,0,5\n", "Column 2 has no name"),
    "two": ("A,B,C,count\n2,0,0,5\n", "'2' is neither 0 nor 1"),
    "short row": ("A,B,C,count\n1,0,5\n", "Line 2 has 3 columns"),
    "long row": ("A,B,C,count\n1,0,0,5,6\n", "Line 2 has 5 columns"),
    "too many persons": ("A,B,C,count\n1,0,0,999999999999999\n", "more than"),
    "huge digits": ("A,B,C,count\n1,0,0," + "9" * 400 + "\n", "not a whole number"),
    "nul": ("A,B,C,count\n1,0,0,5\0\n", "NUL"),
    "open quote": ('A,B,C,count\n1,0,0,"5\n', "Line|count"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_refused_with_a_sentence_saying_where(case):
    text, sentence = WRONG[case]
    with pytest.raises(TableError, match=sentence):
        parse_table(text)


TOLERATED = {
    "byte order mark and quotes": '"A","B","C","count"\n' + FINE.split("\n", 1)[1],
    "spaces": FINE.replace(",", " , "),
    "semicolons": FINE.replace(",", ";"),
    "tabs": FINE.replace(",", "\t"),
    "carriage returns": FINE.replace("\n", "\r\n"),
    "other order": "A,B,C,count\n" + "\n".join(reversed(FINE.strip().split("\n")[1:])),
    "blank lines": FINE.replace("\n", "\n\n"),
    "whole floats": FINE.replace(",50\n", ",50.0\n"),
    "capital": FINE.replace("count", "Count"),
}


@pytest.mark.parametrize("case", TOLERATED)
def test_harmless_differences_of_form_do_not_matter(case):
    assert list(parse_table(TOLERATED[case]).counts) == list(parse_table(FINE).counts)


def test_a_file_with_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + FINE.encode())
    assert start(path, "--json", "--method", "chao").returncode == 0


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read_or_refused_with_a_sentence(text):
    try:
        persons = parse_table(text).persons
    except TableError as problem:
        sentence = str(problem)
    else:
        assert persons > 0
        return
    assert len(sentence) > 20


def rows(lists, patterns):
    head = ",".join(f"L{i}" for i in range(lists))
    return f"{head},count\n" + "".join(f"{','.join(p)},{n}\n" for p, n in patterns.items())


REFUSED = {
    "one-list": rows(1, {"1": 50}),
    "two-lists": rows(2, {"10": 50, "01": 40, "11": 10}),
    "too-many-lists": rows(12, {"1" + "0" * 11: 50, "0" * 11 + "1": 40, "11" + "0" * 10: 9}),
    "no-overlap": rows(3, {"100": 50, "010": 40, "001": 30}),
    "isolated-list": rows(3, {"100": 40, "010": 30, "001": 20, "110": 6}),
    "empty-list": rows(3, {"100": 40, "010": 30, "110": 6}),
    "nobody-on-one-list": rows(3, {"111": 500}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_table_that_cannot_be_estimated_is_refused_with_a_reason(code):
    found = analyse(parse_table(REFUSED[code]), Settings())
    assert found.estimates == ()
    assert found.companions == ()
    assert code in [r.code for r in found.refusals]
    assert all(len(r.sentence) > 40 for r in found.refusals)
    assert json.dumps(to_json(found), allow_nan=False)


def test_two_lists_are_told_of_lincoln_and_chapman_but_get_no_number():
    found = to_json(analyse(parse_table(REFUSED["two-lists"]), Settings()))
    assert "Chapman" in found["refusals"][0]["sentence"]
    assert found["estimates"] == []


def test_forty_lists_are_refused_at_once():
    began = time.monotonic()
    found = analyse(parse_table(rows(40, {"1" * 40: 5, "1" + "0" * 39: 7})), Settings())
    assert [r.code for r in found.refusals] == ["too-many-lists"]
    assert time.monotonic() - began < 60  # looking at each combination would never end


def scaled(factor):
    return parse_table("A,B,C,count\n" + "".join(
        f"{p},{n * factor}\n" for p, n in {"1,0,0": 50, "0,1,0": 40, "0,0,1": 30, "1,1,0": 8, "1,0,1": 7,
                                            "0,1,1": 6, "1,1,1": 2}.items()))  # fmt: skip


def test_a_thousand_million_persons_are_estimated_right():
    big, small = scaled(7_000_000), scaled(1)
    assert big.persons > 10**9
    for method in ("independence", "bic", "chao", "decomposable", "zelterman"):
        large = run(method, Work(big, Settings(boot=100))).estimate
        assert large > big.persons
    factor = run("independence", Work(small, Settings())).estimate * 7_000_000
    assert run("independence", Work(big, Settings())).estimate == pytest.approx(factor, rel=1e-9)


def test_a_thousand_million_persons_end_in_time(tmp_path):
    path = tmp_path / "big.csv"
    path.write_text(rows(3, {"100": 600_000_000, "010": 300_000_000, "001": 90_000_000, "110": 9_000_000,
                             "011": 900_000, "101": 100_000, "111": 1_000}))  # fmt: skip
    done = start(path, "--json")
    assert done.returncode == 0
    for estimate in json.loads(done.stdout)["estimates"]:
        assert 10**9 <= estimate["estimate"] < 10**13


EXITS = [("A,B,C,count\n1,0,0,-5\n", 2), (REFUSED["two-lists"], 3), (FINE, 0)]


@pytest.mark.parametrize(("text", "code"), EXITS)
def test_exit_codes_mean_what_the_help_says(tmp_path, text, code):
    path = tmp_path / "t.csv"
    path.write_text(text)
    done = start(path, "--json", "--method", "chao", "--method", "zelterman")
    assert done.returncode == code
    assert json.loads(done.stdout)["type"] == "fairnode.mse/1"
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == (code == 2)


def test_a_file_that_is_not_there_or_not_text_is_a_sentence(tmp_path):
    binary = tmp_path / "b.csv"
    binary.write_bytes(os.urandom(3000))
    for path in (tmp_path / "none.csv", tmp_path, binary):
        done = start(path, "--json")
        assert done.returncode == 2
        assert json.loads(done.stdout)["error"]["sentence"]


def test_an_unknown_model_list_is_a_refusal_of_that_model_only():
    found = analyse(
        parse_table(FINE), Settings(methods=("chao", "zelterman", "dga"), models=("A:X", "A:B:C"))
    )
    assert [r.code for r in found.refusals] == ["model-unknown-list", "model-saturated"]
    assert len(found.estimates) == 3


@given(st.lists(st.integers(0, 12), min_size=7, max_size=7))
@settings(max_examples=40, deadline=None)
def test_any_small_table_gives_sound_numbers_or_refusals(counts):
    if sum(counts) == 0:
        return
    patterns = {f"{m:03b}"[::-1]: n for m, n in enumerate([0, *counts]) if n}
    table = parse_table(rows(3, patterns))
    quick = tuple(m for m in METHODS if not m.startswith(("bayes", "lcmcr", "bic-")))
    found = analyse(table, Settings(methods=quick, boot=100))
    for estimate in found.estimates:
        assert np.isfinite(estimate.estimate)
        assert estimate.estimate >= table.persons * (1 - 1e-6)
        for interval in estimate.intervals:
            assert table.persons * (1 - 1e-6) <= interval.lower <= interval.upper
    assert json.dumps(to_json(found), allow_nan=False)
