"""What tests of all folders share: the example's case files, the image of `counts`, and nodes made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from examples.netherlands import expand
from fairnode.demo.make import build_image
from tests.factories import ROOT, Site, copy_site, make_template, one_at_a_time

# How long an example takes is a matter of the machine and of what else it does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LONGER = ("combine", "mpc", "mse")  # folders whose files take long without an engine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that at the end no worker waits for another one's long file."""
    engine = {item.path for item in items if item.get_closest_marker("needs_docker")}
    items.sort(key=lambda item: (item.path not in engine, not set(LONGER) & set(item.path.parts)))


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
def built_counts(shared_folder: Path) -> Path:
    """The algorithm `counts` as its author hands it in: a folder with manifest and image."""
    built = shared_folder / "counts"
    with one_at_a_time(shared_folder):
        if not (built / "algorithm.toml").exists():
            build_image(ROOT / "algorithms/counts", built)
    return built


@pytest.fixture(scope="session")
def site_template(shared_folder: Path, case_files: Path, built_counts: Path) -> Site:
    """A node that is only copied."""
    folder = shared_folder / "template"
    done = shared_folder / "template.done"
    with one_at_a_time(shared_folder):
        if not done.exists():
            make_template(folder, case_files, built_counts)
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
