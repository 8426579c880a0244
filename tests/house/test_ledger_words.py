"""Every kind of line that the code writes has its sentence, and no sentence is for a line that nobody writes."""

from __future__ import annotations

import re

from fairnode.ledger.words import SENTENCES, sentence
from fairnode.records.states import VisitState
from tests.factories import ROOT

KIND = re.compile(r'"((?:[a-z]+)\.[a-z]+(?:[-_][a-z]+)*)"')


def test_each_kind_of_line_that_the_code_writes_has_a_sentence_of_its_own() -> None:
    families = {kind.split(".")[0] for kind in SENTENCES}
    written = {
        kind
        for path in (ROOT / "fairnode").rglob("*.py")
        if path.name != "words.py" and "Entry(" in (text := path.read_text())
        for kind in KIND.findall(text)
        if kind.split(".")[0] in families
    }
    written |= {f"visit.{state}" for state in VisitState}
    assert len(written) > 50
    assert written - set(SENTENCES) == set()
    composed = {kind for kind in SENTENCES if kind.startswith(("visit.rerun-", "algorithm."))}
    assert set(SENTENCES) - written - composed == set()
    assert len(set(SENTENCES.values())) == len(SENTENCES)


def test_a_line_of_a_later_version_is_shown_by_its_kind() -> None:
    assert sentence("visit.teleported") == "visit.teleported"
