"""The same question asked again gets the answer that was given, whoever asks and however often."""

from __future__ import annotations

import json

import pytest

from fairnode.records.rows import Earlier, Release
from tests.factories import DATASET
from tests.spine.telling import approve, send_study, write_study

pytestmark = pytest.mark.needs_docker


def test_a_question_asked_twice_has_one_answer(site) -> None:
    site.start("work")
    answers = []
    for title in ("A question", "The same question"):
        study = send_study(site, write_study(site, f"{title}.json", options={"title": title}))
        visit = site.wait_for_visit("waiting", study=study)
        assert approve(site, visit.id) == "approved"
        site.wait_until_finished(study)
        answers.append(json.loads(site.cli("study", "result", study, "--form", "json").stdout)["tables"])
    assert answers[0] == answers[1]
    with site.open() as node, node.store.read() as reader:
        first, second = reader.find(Release, order="created")
        assert reader.count(Earlier) == 1
    assert second.facts == {"stored": first.id}


def test_a_study_is_not_written_over_a_file(site) -> None:
    target = site.directory / "mine.json"
    target.write_text("mine")
    asked = ["--title", "A", "--question", "How many?", "--algorithm", "counts", "--dataset", DATASET]
    done = site.cli("study", "new", str(target), *asked, "--dimension", "region", user="rosa", ok=False)
    assert done.returncode == 5
    assert "'mine.json' is there already" in done.stderr
    assert target.read_text() == "mine"
