"""A program of the node itself: known without being submitted, one version at a time, and never a container."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairnode import errors
from fairnode.algorithms.known import submit
from fairnode.algorithms.manifest import read_manifest
from fairnode.algorithms.own import keep_own, own_programs
from fairnode.ledger.commit import Entry, commit
from fairnode.linkage.keys import VARIABLES
from fairnode.records.rows import Algorithm, Person
from fairnode.studies.fit import reads_identifiers

OWN = own_programs()["linkage-keys"]


def rows(node):
    with node.store.read() as reader:
        return reader.find(Algorithm)


def test_a_node_knows_its_own_programs_and_learns_them_once(node):
    assert keep_own(node) == len(own_programs()) == 3
    assert keep_own(node) == 0
    found = {row.name: (row.state, row.image) for row in rows(node)}
    assert found == {name: ("known", own.identity) for name, own in own_programs().items()}


def test_an_older_version_of_the_program_is_not_known_any_more(node):
    keep_own(node)
    row, *others = sorted(rows(node), key=lambda r: r.name, reverse=True)
    old = replace(row, id="old", image="sha256:" + "0" * 64)
    commit(node.desk, lambda tx: tx.add(old), Entry("test.old", "old", "node"))
    keep_own(node)
    assert {r.id: r.state for r in rows(node)} == {
        **{r.id: "known" for r in (row, *others)},
        "old": "replaced",
    }


def test_nobody_submits_a_program_of_the_node(node, tmp_path):
    author = Person("p", "arjen", "Arjen", "", ["author"], True, "")
    with pytest.raises(errors.NotValid, match="not submitted"):
        submit(node, author, OWN.manifest, tmp_path / "image.tar")


def test_only_a_program_of_the_node_reads_what_identifies_a_person():
    told = OWN.told
    assert reads_identifiers(told)
    assert set(VARIABLES) == set(told.inputs[0].required)
    assert not reads_identifiers(replace(told, node_program=""))
    assert not reads_identifiers(own_programs()["combined-regression"].told)
    assert not reads_identifiers(replace(told, entrypoint=("python3", "/opt/x.py")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'[node]\nprogram = "linkage-keys"', b""),
        (b'[node]\nprogram = "linkage-keys"', b'[node]\nprogram = "another"'),
        (b"[node]", b'[image]\nentrypoint = ["x"]\n[node]'),
        (b"[stages]", b'[[outputs]]\nid = "t"\nkind = "count"\n[stages]'),
    ],
)
def test_a_manifest_names_an_image_or_a_program_and_an_image_has_outputs(old, new):
    with pytest.raises(errors.NotValid):
        read_manifest(OWN.manifest.replace(old, new))
