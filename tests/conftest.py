"""What tests of all folders share: the example's case files, the image of `counts`, and nodes made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.netherlands import expand
from tests.factories import ROOT, Site, build, copy_site, make_template, one_at_a_time


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the whole run, also when several processes share it (xdist)."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def case_files(shared_folder: Path) -> Path:
    """The six organisations' case files, expanded once."""
    folder = shared_folder / "netherlands"
    with one_at_a_time(shared_folder):
        if not (folder / "truth.csv").exists():
            expand(folder)
    return folder


@pytest.fixture(scope="session")
def counts_archive(shared_folder: Path) -> Path:
    """The image of the algorithm `counts`, as an author hands it in."""
    archive = shared_folder / "counts.tar"
    with one_at_a_time(shared_folder):
        if not archive.exists():
            build(ROOT / "algorithms/counts", archive)
    return archive


@pytest.fixture(scope="session")
def site_template(shared_folder: Path, case_files: Path, counts_archive: Path) -> Site:
    """A node that is only copied."""
    folder = shared_folder / "template"
    done = shared_folder / "template.done"
    with one_at_a_time(shared_folder):
        if not done.exists():
            make_template(folder, case_files, counts_archive)
            done.touch()
    return Site(folder)


@pytest.fixture(scope="session")
def new_site(site_template: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Site]]:
    """Makes nodes: each call a copy of the template, with a name and port of its own."""
    made: list[Site] = []

    def make() -> Site:
        made.append(copy_site(site_template, tmp_path_factory.mktemp("node") / "police"))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Iterator[Site]:
    """A node for one test."""
    made = new_site()
    yield made
    made.close()
