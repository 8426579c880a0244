"""What people say of an image: signed, bound to it, and of use to other nodes that trust them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from fairnode.algorithms.known import listed
from fairnode.approvals.algorithm_reviews import standing
from fairnode.keys import make_node_keys
from fairnode.records.rows import Algorithm
from fairnode.share import shared

pytestmark = pytest.mark.needs_docker  # the node's template holds an image


@pytest.fixture
def two(new_site):
    """A node, and another with keys of its own that knows the same algorithm."""
    here, there = new_site(), new_site()
    shutil.rmtree(there.directory / "keys")
    make_node_keys(there.directory / "keys")
    return here, there


def public(site) -> str:
    with site.open() as node:
        return node.keys.public


def stands(site):
    with site.open() as node:
        (algorithm,) = [a for a in listed(node) if a.name == "counts"]
        return standing(node, algorithm)


def given(site, folder):
    """A review that counsel of `site` wrote, as a file for others."""
    site.cli("algorithm", "review", "counts", "--approve", "--note", "read it all", user="lars")
    site.cli("algorithm", "reviews", "counts", "--out", str(folder))
    (file,) = folder.glob("*.review")
    return file


def test_a_review_counts_elsewhere_once_its_node_is_trusted_there(two, tmp_path):
    here, there = two
    file = given(there, tmp_path / "out")
    refused = here.cli("algorithm", "take-review", str(file), user="carla", ok=False)
    assert "trust" in refused.stderr
    assert stands(here).valid == ()
    here.cli("algorithm", "trust", public(there), "--name", "Shelter", user="carla")
    here.cli("algorithm", "take-review", str(file), user="carla")
    (review,) = stands(here).valid
    assert (review.opinion, review.note, review.node) == ("approved", "read it all", public(there))
    assert stands(here).approving == {review.organisation}


def test_a_changed_review_and_one_signed_by_another_are_refused(two, tmp_path):
    here, there = two
    file = given(there, tmp_path / "out")
    here.cli("algorithm", "trust", public(there), "--name", "Shelter", user="carla")
    told = json.loads(file.read_text())
    one, other = told["signatures"]
    forged = [[{**one, "sig": "AAAA"}, other], [one, {**other, "sig": "AAAA"}], [one], [other], []]
    for spoiled in ("{}", "no review", *(json.dumps({**told, "signatures": s}) for s in forged)):
        file.write_text(spoiled)
        done = here.cli("algorithm", "take-review", str(file), user="carla", ok=False)
        assert done.returncode != 0
    assert stands(here).valid == ()


def test_nobody_reviews_their_own_and_a_refusal_says_why(two):
    here, _ = two
    own = here.cli("algorithm", "review", "counts", "--approve", user="arjen", ok=False)
    assert "handed in" in own.stderr
    assert here.cli("algorithm", "review", "counts", "--approve", user="rosa", ok=False).returncode != 0
    bare = here.cli("algorithm", "review", "counts", "--refuse", user="lars", ok=False)
    assert "must change" in bare.stderr
    here.cli("algorithm", "review", "counts", "--refuse", "--note", "reads too much", user="lars")
    assert stands(here).approving == frozenset()


def test_a_reviewer_signs_to_have_made_the_image_from_its_source_only_if_it_is_the_same(two, tmp_path):
    here, _ = two
    spoiled = tmp_path / "counts"
    shutil.copytree(shared("algorithms") / "counts", spoiled)
    with (spoiled / "counts.py").open("a") as file:
        file.write("# another line\n")
    other = here.cli(
        "algorithm", "review", "counts", "--approve", "--source", str(spoiled), user="lars", ok=False
    )
    assert "makes another image" in other.stderr
    assert stands(here).valid == ()
    source = str(shared("algorithms") / "counts")
    here.cli("algorithm", "review", "counts", "--approve", "--source", source, user="lars")
    (review,) = stands(here).valid
    assert review.reproduced
    assert {r.organisation for r in stands(here).valid if r.reproduced} == {review.organisation}


def test_whose_reviews_count_can_be_taken_back(two, tmp_path):
    here, there = two
    file = given(there, tmp_path / "out")
    here.cli("algorithm", "trust", public(there), "--name", "Shelter", user="carla")
    here.cli("algorithm", "take-review", str(file), user="carla")
    assert len(stands(here).valid) == 1
    assert here.json("algorithm", "trusted")[0]["name"] == "Shelter"
    here.cli("algorithm", "distrust", public(there), user="carla")
    assert stands(here).valid == ()


def test_only_custodians_decide_whose_reviews_count(two):
    here, there = two
    done = here.cli("algorithm", "trust", public(there), "--name", "Shelter", user="lars", ok=False)
    assert done.returncode != 0


def test_of_a_new_version_nobody_has_said_anything(two):
    here, _ = two
    here.cli("algorithm", "review", "counts", "--approve", user="lars")
    with here.open() as node:
        (algorithm,) = [a for a in listed(node) if a.name == "counts"]
        newer = replace(algorithm, id="newer", image="sha256:" + "0" * 64, version="1.0.1", created="2099")
        with node.store.write() as tx:
            tx.add(newer)
        with node.store.read() as reader:
            assert reader.get(Algorithm, "newer") is not None
        assert standing(node, newer).valid == ()
        assert [r.image for r in standing(node, newer).void] == [algorithm.image]
    rows = here.json("algorithm", "reviews", "counts")
    assert "void" in json.dumps(rows)
