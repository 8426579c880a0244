"""The specification of the gate: tables in, verdict out, as data under tests/spec/gate."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from fairnode.disclosure.rules import load_rules

ROOT = Path(__file__).parents[2]
MAKER = runpy.run_path(str(ROOT / "docs" / "make_gate.py"))
STORIES = MAKER["stories"]()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_gate_does_what_the_specification_says(story):
    for step, verdict in MAKER["run_story"](story, load_rules()):
        outcome = ": ".join([verdict.outcome.value, *verdict.refusals])
        assert outcome == step.outcome
        shown = {t.spec.id: {c.key: MAKER["said"](c) for c in t.cells} for t in verdict.tables}
        assert shown == {name: cells for name, cells in step.after.items() if cells}
        assert {(reason.table, reason.key): reason.rule for reason in verdict.reasons} == step.why


def test_the_page_about_the_gate_is_current():
    assert (ROOT / "docs" / "gate.md").read_text(encoding="utf-8") == MAKER["page"](load_rules())
