"""Data that change between dealing and opening (P19), and between two combined tables (P6): one story on case files.

Four organisations with files of their own kinds. Counts outside are made from the raw files each time.
"""

from __future__ import annotations

import csv
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from fairnode.combine import announce
from fairnode.combine.beside import without_remainders
from fairnode.combine.compute import share_name
from fairnode.combine.memory import dealt_set, sweep_sets
from fairnode.combine.ready import tell_ready
from fairnode.demo.make import case_files
from fairnode.demo.members import example
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, commit
from fairnode.records.result import Dimension, Kind, OutputContract, TableSpec, Unit
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Computation, Dataset, Earlier, LedgerLine, Share
from fairnode.records.states import VisitState
from tests.combine.conftest import FOUR
from tests.combine.test_sum import shown
from tests.network import plain
from tests.network.town import PARTIES

CACHE = Path(__file__).parents[2] / ".cache" / "demo"
ORGANISATIONS = {o.key: o for o in example().ORGANISATIONS}
ONE, SAME_CELLS = ("sex", "exploitationForm"), ("exploitationForm", "sex")


@pytest.fixture(scope="module")
def story(one_town, tmp_path_factory):
    """The town with case files that the tests may change, and the folder in which they are."""
    folder = tmp_path_factory.mktemp("files")
    CACHE.mkdir(parents=True, exist_ok=True)
    shutil.copytree(case_files(CACHE), folder, dirs_exist_ok=True)
    for key in FOUR:
        source = dict(tomllib.loads(example().source(ORGANISATIONS[key]))["source"])
        source["path"] = str(folder / key / source["path"])
        change_source(one_town.nodes[key], f"{key}-victims", source)
    return one_town, folder


def change_source(node, dataset, source):
    """The dataset is in this file from now on."""
    commit(
        node.desk,
        lambda tx: tx.change(tx.get(Dataset, dataset), source=source),
        Entry("test.moved", dataset, "operator"),
    )


def withdraw(folder, sex, form, number):
    """So many registrations are taken out of the border police's file."""
    path = folder / "kmar" / "meldingen.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    gone = [row for row in rows if (row["Sekse"], row["Vorm"]) == (sex, form)][:number]
    assert len(gone) == number
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(row for row in rows if row not in gone)


def told_at_slots(node):
    """When counts are ready follows from when a container ended: home is told at a slot, and once (P8)."""
    settings = replace(node.config.settings, release_slot=10**9)
    with_slots = replace(node, config=replace(node.config, settings=settings))
    assert tell_ready(with_slots, set()) == 0
    assert [tell_ready(node, set()), tell_ready(node, set())] == [1, 0]


def expected(now, codes, *earlier):
    """The plain rule over the files as they are now, in the order of `codes`, beside the `earlier` tables."""
    found = plain.cells_of(now, [ORGANISATIONS[key] for key in FOUR], earlier)
    return [found.get(code) for code in codes]


def kept(folder, name, dimensions):
    """The files as they are now, for later."""
    target = folder.parent / f"{folder.name}-{name}"
    shutil.copytree(folder, target)
    return target, dimensions


def deal(town, folder, dimensions):
    """A study whose counts have been dealt; its hash and the codes of its cells."""
    study = town.ask(FOUR, dimensions)
    town.carry()
    for key in FOUR:
        counted = plain.counts(folder, ORGANISATIONS[key], dimensions)
        assert town.visit_file(key, study, counted).state == VisitState.READY
    told_at_slots(town.nodes[FOUR[0]])
    town.carry()
    announce.step_combinations(town.home)
    town.carry()
    for key in FOUR:
        assert town.deal(key, study).state == VisitState.SHARED
    town.carry()
    return study


def codes_of(town, study):
    (table,) = town.combination(study).facts["contract"]["tables"]
    axes = [axis["codes"] for axis in table["dimensions"]]
    return [(a,) for a in axes[0]] if len(axes) == 1 else [(a, b) for a in axes[0] for b in axes[1]]


@pytest.fixture(scope="module")
def first(story):
    """A registration is withdrawn after it was dealt and computed with, and before it was opened."""
    town, folder = story
    study = deal(town, folder, ONE)
    before = expected((folder, ONE), codes_of(town, study))
    announced = town.combination(study).facts
    town.run()
    town.carry()
    withdraw(folder, "vrouw", "SEKS", 30)
    town.answer()
    taken = town.combination(study)
    rows = {}
    for key in PARTIES:
        with town.nodes[key].store.read() as reader:
            rows[key] = reader.get(Computation, f"party#{study}#combine"), reader.find(Share)
    return study, before, announced, taken, rows


def test_when_a_row_fell_out_the_shares_are_destroyed_and_nothing_is_opened(story, first):
    town, _ = story
    study, _, announced, taken, rows = first
    for row, shares in rows.values():
        assert row.state == "taken back"
        assert "outcome" not in row.facts
        assert shares == []
    assert town.open() == 0
    assert (taken.state, taken.facts["attempt"]) == ("waiting", 2)
    assert taken.facts["taken"] == announced["announced"]
    assert taken.facts["destroyed"] == {"0": True, "1": True, "2": True}
    assert town.visit("kmar", study).state == VisitState.READY
    for (
        key
    ) in FOUR:  # some had said that theirs stands; since all parties destroyed theirs, nothing was opened
        with town.nodes[key].store.read() as reader:
            assert reader.find(Earlier) == []


def test_they_are_cut_anew_under_a_new_run_and_the_table_is_that_of_the_data_as_they_are(story, first):
    town, folder = story
    study, before, announced, *_ = first
    announce.step_combinations(town.home)
    town.carry()
    told = town.combination(study).facts
    assert told["run"] != announced["run"]
    assert told["announced"] != announced["announced"]
    assert told["earlier"] == []
    for key in FOUR:
        assert town.deal(key, study).state == VisitState.SHARED
    town.carry()
    with town.nodes["labour"].store.read() as reader:
        names = {share.id for share in reader.find(Share)}
    iris = [town.nodes[key].iri for key in FOUR]
    assert names == {share_name(study, "combine", 2, told["announced"], iri) for iri in iris}
    town.compute()
    (release,) = town.finish(study)
    after = expected((folder, ONE), codes_of(town, study))
    assert shown(release) == after
    assert after != before
    with town.nodes["kmar"].store.read() as reader:
        kinds = [line.kind for line in reader.find(LedgerLine, {"study": study})]
    assert kinds.count("visit.shared") == 2
    assert "visit.taken-back" in kinds
    assert verify_ledger(town.nodes["kmar"].desk).sound


def test_of_what_may_have_been_opened_keyed_hashes_stay_at_the_node_and_nowhere_else(story, first):
    town, folder = story
    for key in FOUR:
        node = town.nodes[key]
        with node.store.read() as reader:
            (memory,) = reader.find(Earlier)
        assert memory.facts["opened"]
        path = dealt_set(node, memory.lineage, memory.id)
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
        keys = [row[ORGANISATIONS[key].columns[0].name] for row in plain.rows(folder, ORGANISATIONS[key])]
        assert not any(one.encode() in path.read_bytes() for one in keys[:50])
        sweep_sets(node)
        assert path.exists()
    with town.home.store.read() as reader:
        bodies = [row.facts for row in reader.find(Computation)]
    assert "parquet" not in str(bodies)


def test_cells_of_which_few_persons_changed_since_an_earlier_table_stay_hidden(story, first):
    """Two women less: the difference of the two tables would tell of them."""
    town, folder = story
    then = kept(folder, "one", ONE)
    withdraw(folder, "vrouw", "SEKS", 2)
    study = deal(town, folder, SAME_CELLS)
    assert town.combination(study).facts["earlier"] == [f"{town.combination(first[0]).facts['announced']}/0"]
    town.compute()
    (release,) = town.finish(study)
    codes = codes_of(town, study)
    alone, found = expected((folder, SAME_CELLS), codes), shown(release)
    assert found == expected((folder, SAME_CELLS), codes, then)
    at = codes.index(("sexual", "female"))
    assert alone[at] is not None
    assert found[at] is None
    assert sum(n is not None for n in found) > 5


def test_what_a_table_tells_with_an_earlier_one_is_kept_back_at_the_home_node(story, first):
    """Three more than all that were shown: the cells that the first table hid would be bounded by that."""
    town, _ = story
    row = town.combination(first[0])
    before = shown(town.released(first[0])[0])
    assert None in before
    total = sum(n for n in before if n is not None)
    table = TableSpec("t", Kind.COUNT, Unit.REGISTRATION, "view", (Dimension("region", ("north", "south")),))
    facts = {**row.facts, "contract": contract_to_json(OutputContract((table,)))}
    later = replace(row, study="another", facts=facts)
    opened = {"cells": [total - 50, 53], "base": 5, "bound": 22}
    assert None in without_remainders(town.home, later, opened)["cells"]
    elsewhere = replace(later, facts={**facts, "contributors": facts["contributors"][:3]})
    assert without_remainders(town.home, elsewhere, opened) == opened


@pytest.mark.long
@pytest.mark.parametrize("dimensions", [("sex",), ("sex", "exploitationForm", "ageBroad")])
def test_no_margin_of_an_opened_table_is_dealt_nor_a_table_of_which_it_is_one(story, first, dimensions):
    """A total beside all cells below it but one is that cell, but for rounding (P5)."""
    town, folder = story
    study = town.ask(FOUR, dimensions)
    town.carry()
    for key in FOUR:
        counted = plain.counts(folder, ORGANISATIONS[key], dimensions)
        assert town.visit_file(key, study, counted).state == VisitState.READY
    town.carry()
    announce.step_combinations(town.home)
    town.carry()
    assert {town.deal(key, study).state for key in FOUR} == {VisitState.BLOCKED}


@pytest.mark.long
def test_a_table_is_not_opened_beside_another_that_was_opened_since_it_was_dealt(story, first):
    """Two studies at a time: the second to open was not compared with the first, so it is dealt again."""
    town, folder = story
    one, other = deal(town, folder, ("exploitationForm", "region")), deal(town, folder, ("region", "sex"))
    town.compute()  # both run; who is asked about first is answered first
    releases = {study: town.finish(study) for study in (one, other)}
    while not any(releases.values()):
        town.answer()
        town.open()
        town.carry()
        releases = {study: town.finish(study) for study in (one, other)}
    (late,) = [study for study, found in releases.items() if not found]
    (opened,) = {one, other} - {late}
    town.answer()
    announce.step_combinations(town.home)
    town.carry()
    told = town.combination(late).facts
    assert told["attempt"] == 2
    assert f"{town.combination(opened).facts['announced']}/0" in told["earlier"]
    for key in FOUR:
        assert town.deal(key, late).state == VisitState.SHARED
    town.carry()
    town.compute()
    (release,) = town.finish(late)
    assert len(shown(release)) > 0
