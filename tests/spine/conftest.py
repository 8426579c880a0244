"""A study that was told to its end, for all tests that only look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fairnode.records.rows import Release
from tests.factories import Site
from tests.spine.telling import approve, send_study, write_study


@dataclass(frozen=True)
class Story:
    """A node at which one study has finished; `table` is what was released."""

    site: Site
    study: str
    visit: str
    table: Any


def table_of(release: Release) -> Any:
    """The cells of a release, without the release's own name."""
    return json.loads(release.table)["tables"]


@pytest.fixture(scope="session")
def story(new_site: Callable[[], Site]) -> Story:
    """One organisation's registrations by region and year: asked, signed by two, visited, released."""
    site = new_site()
    worker = site.start("work")
    study = send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting").id
    assert approve(site, visit) == "approved"
    site.wait_until_finished(study)
    site.wait_for_own_messages()
    site.stop(worker)
    with site.open() as node, node.store.read() as reader:
        (release,) = reader.find(Release, {"study": study})
    return Story(site, study, visit, table_of(release))
