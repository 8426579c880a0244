"""The notebooks of the docs are run from the first cell to the last, on a real node."""

from __future__ import annotations

import json
import threading

import nbformat
import pytest
from nbclient import NotebookClient

from tests.factories import DATASET, ROOT, Site
from tests.spine.telling import approve

pytestmark = [pytest.mark.needs_docker, pytest.mark.long]


def run(name: str, site: Site, user: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a notebook as a person would, in the node's directory; the last value of each cell as text."""
    monkeypatch.setenv("FAIRNODE_DIR", str(site.directory))
    monkeypatch.setenv("FAIRNODE_TOKEN_FILE", str(site.token_file(user)))
    monkeypatch.setenv("DATASET", DATASET)
    book = nbformat.read(ROOT / "docs" / f"{name}.ipynb", as_version=4)
    NotebookClient(book, timeout=600, resources={"metadata": {"path": str(site.directory)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output["data"]["text/plain"] for output in outputs if output.output_type == "execute_result"]


def approve_when_asked(site: Site, stop: threading.Event) -> None:
    """What the organisation's people do meanwhile."""
    while not stop.wait(1.0):
        waiting = [visit for visit in site.visits() if visit.state == "waiting"]
        if waiting:
            approve(site, waiting[0].id)
            return


def test_a_researcher_comes_from_a_question_to_a_table(new_site, monkeypatch):
    site, stop = new_site(), threading.Event()
    site.start("work")
    people = threading.Thread(target=approve_when_asked, args=(site, stop))
    people.start()
    try:
        values = run("researcher", site, "rosa", monkeypatch)
    finally:
        stop.set()
        people.join()
    assert values[-1] == "True"
    assert (site.directory / "picture.svg").read_text(encoding="utf-8").startswith("<svg")


def test_an_author_comes_from_an_idea_to_a_known_image(new_site, monkeypatch):
    site = new_site()
    values = run("author", site, "arjen", monkeypatch)
    assert values[-1] == "True"
    assert any("numbers are not those that the node counted" in value for value in values)
    rows = json.dumps(site.json("algorithm", "list"))
    assert "young" in rows
