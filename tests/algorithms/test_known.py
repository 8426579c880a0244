"""What is known of an image at a node: one image can be several algorithms, each with its manifest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairnode import clock, errors
from fairnode.algorithms.adopt import Asked, draft
from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.known import listed, submit
from fairnode.algorithms.manifest import read_manifest
from fairnode.algorithms.sbom import Package
from fairnode.algorithms.template import left_as_drafted, new_algorithm
from fairnode.records.rows import Person
from fairnode.share import shared
from tests.hostile.forge import MACHINE, docker_archive

AUTHOR = Person("p-arjen", "arjen", "Arjen Vos", "", ["author"], True, clock.now())
COUNTS = (shared("algorithms") / "counts" / "algorithm.toml").read_text(encoding="utf-8")


@pytest.fixture
def handed_in(node, tmp_path):
    """Hand in the same image with a manifest that is another in this."""
    archive = docker_archive(tmp_path / "image.tar")

    def go(old: str = "", new: str = ""):
        assert old in COUNTS
        return submit(node, AUTHOR, COUNTS.replace(old, new, 1).encode(), archive)

    return go


def test_an_image_is_handed_in_under_a_second_name(node, handed_in):
    first, second = handed_in(), handed_in('name = "counts"', 'name = "routes"')
    assert first.image == second.image
    assert {row.name for row in listed(node)} == {"counts", "routes"}


def test_the_same_image_with_the_same_manifest_is_known_by_its_name(handed_in):
    first = handed_in()
    with pytest.raises(errors.Conflict, match=f"as {first.name} {first.version}"):
        handed_in()


def test_a_changed_manifest_of_the_same_name_is_a_new_version(handed_in):
    first = handed_in()
    with pytest.raises(errors.Conflict, match="with another manifest") as caught:
        handed_in("memory_mib = 512", "memory_mib = 1024")
    assert "raise 'version'" in caught.value.to_do
    newer = handed_in(f'version = "{first.version}"', 'version = "9.0.0"')
    assert newer.id != first.id


def test_texts_that_nobody_filled_in_are_named(tmp_path):
    new_algorithm("routes", tmp_path / "routes")
    drafted = (tmp_path / "routes/algorithm.toml").read_bytes()
    assert left_as_drafted(read_manifest(drafted)) == ["description", "authors", "source"]
    image = read_archive(docker_archive(tmp_path / "average.tar"), MACHINE)
    tools = (Package("pypi", "vantage6-algorithm-tools", "4.15.2"),)
    adopted = draft(replace(image, packages=tools), Asked("average", numbers=("sum",)))
    assert left_as_drafted(read_manifest(adopted)) == ["description", "authors", "source"]
    assert left_as_drafted(read_manifest(COUNTS.encode())) == []
