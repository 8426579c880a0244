"""A run that ends without a result has a name for why, and is started again with the same shares."""

from __future__ import annotations

import json

import pytest

from fairnode.combine import announce, compute
from fairnode.combine.ending import recover
from fairnode.combine.fresh import read_again
from fairnode.combine.ready import tell_ready
from fairnode.combine.waiting import waiting_for
from fairnode.demo.members import example
from fairnode.records.rows import Computation, Dataset, Earlier, LedgerLine, Share
from fairnode.records.states import PublicState, VisitState
from fairnode.visits.context import read_context
from fairnode.visits.view import make_view
from tests.combine.conftest import FOUR
from tests.combine.test_sum import shown

COUNTS = {
    "police": (900, 15, 30, 0),
    "labour": (300, 5, 0, 0),
    "coordinators": (250, 2, 0, 3),
    "kmar": (50, 1, 0, 0),
}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A party that does not come is given up sooner than in earnest."""
    monkeypatch.setattr(compute, "JOIN_SECONDS", 6.0)


def test_a_party_that_is_away_ends_the_run_is_waited_for_and_the_next_run_has_the_result(town):
    study = town.gather(COUNTS)
    town.compute(["labour", "coordinators"])
    outputs = town.combination(study).facts["outputs"]
    assert {o["outcome"] for o in outputs.values()} == {"ended"}
    assert {o["reason"]["code"] for o in outputs.values()} == {"absent"}
    assert town.finish(study) == []
    with town.home.store.read() as reader:
        waits = waiting_for(reader, study)
    assert waits == {"counts": [], "keys": [], "outputs": [town.nodes["police"].iri], "made": []}

    # The police's worker was killed in the middle of it: it says so when it is back.
    node = town.nodes["police"]
    (due,) = compute.due_computations(node)
    compute.mark_running(node, due)
    left = [
        node.config.spool / name for name in ("computations/ab", "deal-1", "open_outputs-2", "mpc_party-3")
    ]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "job.json").write_text("keys, shares and counts", encoding="utf-8")
    recover(node)
    assert not any(folder.exists() for folder in left)
    town.carry()
    assert town.finish(study) == []
    assert town.combination(study).facts["runs"] == 2
    town.compute()
    (release,) = town.finish(study)
    assert shown(release) == [1500, None, 30, None]


def test_a_share_that_was_damaged_on_its_way_ends_every_run_and_names_the_party_that_got_it(town):
    study = town.gather(COUNTS)
    with town.nodes["labour"].store.write() as tx:
        share = tx.one(Share, study=study, sender=town.nodes["kmar"].iri)
        tx.change(share, package=share.package[:-8] + b"tampered")
    town.compute()
    reasons = [o["reason"] for o in town.combination(study).facts["outputs"].values()]
    assert {reason["code"] for reason in reasons} == {"input"}
    kmar = town.nodes["kmar"].iri
    said = f"Party 1: The input of {kmar} is not a sealed input of this protocol, or was damaged"
    assert all(reason["sentence"].startswith(said) for reason in reasons)
    for _ in range(announce.MOST_RUNS):
        assert town.finish(study) == []
        town.compute()
    assert {line.state for line in town.lines(study)} == {PublicState.NOT_RELEASED}
    assert town.combination(study).state == "ended"


def test_a_party_with_another_program_ends_the_run_before_any_share_is_used(town):
    study = town.gather(COUNTS)
    node = town.nodes["labour"]
    (due,) = compute.due_computations(node)
    program = {**due.row.facts["program"], "digest": "0" * 64}
    with node.store.write() as tx:
        row = tx.change(due.row, facts={**due.row.facts, "program": program}, state="running")
    compute.compute(node, compute.dataclasses.replace(due, row=row))
    town.carry()
    told = town.combination(study).facts["outputs"]["1"]
    assert told["outcome"] == "ended"
    assert "another digest" in told["reason"]["sentence"]
    with node.store.read() as reader:
        kinds = [json.loads(line.body)["kind"] for line in reader.find(LedgerLine, {"study": study})]
        assert reader.get(Computation, f"party#{study}#combine").state == "reported"
    assert "computation.ended" in kinds


def test_counts_never_leave_a_node_in_a_form_that_others_can_read(town):
    planted = {**COUNTS, "kmar": (777_001, 777_002, 777_003, 777_004)}
    town.gather(planted)
    told = [b"777001", b"777002", (777_001).to_bytes(8, "little"), (777_002).to_bytes(8, "big")]
    told += [(777_001).to_bytes(4, "little"), (777_003).to_bytes(4, "big")]
    assert holds(town.nodes["kmar"].config.directory, told[:1])
    for key in FOUR:
        if key != "kmar":
            assert not holds(town.nodes[key].config.directory, told)


def holds(folder, patterns) -> list[str]:
    """The files below a folder in which one of the patterns stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(p in path.read_bytes() for p in patterns)]


def test_what_was_dealt_for_a_run_that_nobody_opened_is_forgotten(town):
    """P6: only what can have been opened is compared with what comes after."""
    study = town.gather(COUNTS)
    node = town.nodes["labour"]
    with node.store.read() as reader:
        (memory,) = reader.find(Earlier)
    assert memory.facts["opened"] is False
    assert "cells" not in memory.facts or memory.facts["cells"] == [[]]
    with town.home.store.write() as tx:
        row = next(c for c in tx.find(Computation) if c.id.startswith("home#"))
        tx.change(row, facts={**row.facts, "withheld": True})  # as if a figure had been withheld at last
    assert town.finish(study) == []
    for key in FOUR:
        with town.nodes[key].store.read() as reader:
            assert reader.find(Earlier) == []


COLUMNS = [c.name for o in example().ORGANISATIONS if o.key == "kmar" for c in o.columns]
VALUES = {
    "Geb.datum": "19900101",
    "Sekse": "vrouw",
    "District": "01",
    "Melddatum": "20120301",
    "Vorm": "SEKS",
}
HEADER = ";".join(COLUMNS)
ROWS = [";".join({**VALUES, "Registratienr": f"K{n}"}.get(name, "") for name in COLUMNS) for n in range(1, 8)]


def test_the_data_are_read_again_and_what_changed_is_seen(town):
    """P19: between visit and dealing a record may be withdrawn."""
    node, study = town.nodes["kmar"], town.ask(FOUR)
    town.carry()
    source = node.config.directory / "cases.csv"
    source.write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    settings = {"kind": "csv", "path": str(source), "encoding": "utf-8", "delimiter": ";"}
    with node.store.write() as tx:
        tx.change(tx.get(Dataset, "kmar-victims"), source=settings)
    visit = town.visit("kmar", study)
    made = make_view(read_context(node, visit))
    with node.store.write() as tx:
        visit = tx.change(visit, snapshot=str(made["sha256"]))
    with read_again(read_context(node, visit)) as changed:
        assert changed is None  # touched, but the same
    source.write_text("\n".join([HEADER, *ROWS[1:]]) + "\n", encoding="utf-8")
    with read_again(read_context(node, visit)) as changed:
        assert changed.snapshot != visit.snapshot
        assert changed.context.companion_path.exists()
    assert not changed.context.folder.exists()


def test_counts_of_a_dataset_that_was_withdrawn_fail_and_hold_up_no_round_of_the_worker(town):
    node, study = town.nodes["police"], town.ask(COUNTS)
    town.carry()
    town.count("police", study, COUNTS["police"])
    with node.store.write() as tx:
        (dataset,) = tx.find(Dataset)
        tx.change(dataset, state="withdrawn")
    assert tell_ready(node, set()) == 0
    assert town.visit("police", study).state == VisitState.FAILED
