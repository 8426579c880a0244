"""Texts of strangers: what is kept is what is read, and a terminal is only shown letters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.cli.output import Output
from fairnode.errors import NotValid
from fairnode.letters import for_terminal, reads_as_written


@pytest.mark.parametrize("text", ["Zahl der Fälle", "Número", "می‌خواهم", "数", "a b", "-5 to 10", ""])
def test_honest_texts_stay_as_they_are(text: str) -> None:
    assert reads_as_written(text)
    assert for_terminal(text) == text


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\u202eb", "a\u200bb", "\x9b31m", "\x00", "\u2028", "\ud800", "a\rb", "\ufeffa"]
)
def test_what_is_hidden_or_acts_is_seen(text: str) -> None:
    assert not reads_as_written(text)
    assert reads_as_written(for_terminal(text))


@given(st.text())
def test_whatever_comes_a_terminal_gets_letters_and_lines(text: str) -> None:
    assert reads_as_written(for_terminal(text), lines=True)
    assert for_terminal(for_terminal(text)) == for_terminal(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_stays_the_same_json(text: str) -> None:
    assert json.loads(for_terminal(json.dumps(text, ensure_ascii=False))) == text


def test_a_command_prints_nothing_that_acts(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "counts\x1b]0;evil\x07\u202e"
    Output(as_json=False).say(evil, {})
    Output(as_json=False).table("Algorithms", ["name"], [[evil]])
    Output(as_json=False).error(NotValid(evil))
    told = capsys.readouterr()
    assert "counts" in told.out
    assert reads_as_written(told.out + told.err, lines=True)
