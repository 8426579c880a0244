"""What a policy lets be kept for so long is deleted then: results, twins and counts; what was released stays."""

from __future__ import annotations

import pytest

from fairnode import clock, errors
from fairnode.gate.retention import delete_due
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, commit
from fairnode.metadata.twin_files import twin_file
from fairnode.profiles.twin import delete_over, draw, due
from fairnode.records.profile_rows import Twin
from fairnode.records.rows import Approval, Dataset, Earlier, LedgerLine, Quarantine, Release
from fairnode.records.states import ApprovalState, VisitState
from tests.combine.conftest import FOUR

AT, OFFER, DAY = "kmar", "htpol:minimumCellCount 11 ;", 86400
SEVEN_DAYS = f"{OFFER} htpol:retentionDays 7 ;"
COUNTS = dict.fromkeys(FOUR, (100, 100, 100, 100))
SOON = {"expires": clock.later(2 * DAY)}  # else shares could lie for longer than the policy lets them


def after(days: float) -> str:
    """The moment so many days from now."""
    return clock.later(days * DAY)


def says(town, old: str, new: str) -> None:
    """The record of the node's dataset says something else."""
    node = town.nodes[AT]
    with node.store.read() as reader:
        row = reader.get(Dataset, f"{AT}-victims")
    record = row.record.decode().replace(old, new, 1).encode()
    assert record != row.record
    commit(node.desk, lambda tx: tx.change(row, record=record), Entry("test.recorded", AT, "operator"))


def held(town, study):
    node = town.nodes[AT]
    with node.store.read() as reader:
        return reader.get(Quarantine, town.visit(AT, study).id)


def finished(town):
    study = town.gather(COUNTS, **SOON)
    town.compute()
    (release,) = town.finish(study)
    return study, release


def counted(town):
    """A study whose counts wait at the node to be dealt."""
    study = town.ask(FOUR, **SOON)
    town.carry()
    town.count(AT, study, COUNTS[AT])
    return study


def test_counts_of_a_combination_go_when_their_time_is_over_and_what_was_released_stays(town):
    says(town, OFFER, SEVEN_DAYS)
    study, release = finished(town)
    node = town.nodes[AT]
    assert delete_due(node, after(6.9)) == 0
    assert held(town, study).verdict["counts"] == [100, 100, 100, 100]
    assert delete_due(node, after(7.1)) == 1
    result = held(town, study)
    assert (result.result, result.sha256) == (b"", "")
    assert set(result.verdict) == {"outcome", "deleted"}
    assert delete_due(node, after(7.1)) == 0, "once"
    with node.store.read() as reader:
        lines = [line.kind for line in reader.find(LedgerLine, {"study": study})]
        assert reader.find(Earlier), "what protects the released figures stays"
    assert lines.count("result.deleted") == 1
    assert verify_ledger(node.desk).sound
    with town.home.store.read() as reader:
        assert reader.get(Release, release.id) == release


def test_what_was_signed_counts_when_the_record_says_something_else_later(town):
    says(town, OFFER, SEVEN_DAYS)
    study = counted(town)
    says(town, SEVEN_DAYS, OFFER)
    assert delete_due(town.nodes[AT], after(8)) == 1
    assert held(town, study).result == b""


def test_a_record_that_becomes_stricter_counts_for_results_from_before(town):
    study = counted(town)
    assert delete_due(town.nodes[AT], after(400)) == 0, "nobody said how long"
    says(town, OFFER, f'{OFFER} htpol:retentionUntil "{after(400)[:10]}" ;')
    assert delete_due(town.nodes[AT], after(400)) == 0, "on the last day it may be kept"
    assert delete_due(town.nodes[AT], after(401)) == 1
    assert held(town, study).result == b""


@pytest.mark.parametrize(
    ("state", "end"),
    [(VisitState.REVIEWING, VisitState.EXPIRED), (VisitState.READY, VisitState.FAILED)],
)
def test_a_visit_that_still_waits_with_its_result_ends(town, state, end):
    says(town, OFFER, SEVEN_DAYS)
    study = counted(town)
    node, visit = town.nodes[AT], town.visit(AT, study)
    if state is not VisitState.READY:
        with node.store.write() as tx:  # by hand: nothing leads there but a container
            tx.remove(visit)
            visit = tx.add(type(visit)(**{**vars(visit), "state": state}))
    assert delete_due(node, after(8)) == 1
    assert town.visit(AT, study).state is end
    assert "kept no longer" not in town.visit(AT, study).sentence
    assert held(town, study).result == b""


def test_a_revoked_approval_binds_nothing_any_more(town):
    says(town, OFFER, SEVEN_DAYS)
    study = counted(town)
    says(town, SEVEN_DAYS, OFFER)
    node = town.nodes[AT]
    with node.store.write() as tx:
        for approval in tx.find(Approval, {"visit": town.visit(AT, study).id}):
            tx.change(approval, state=ApprovalState.REVOKED)
    assert delete_due(node, after(8)) == 0


def twin_of(town):
    node = town.nodes[AT]
    with node.store.read() as reader:
        row = reader.get(Dataset, f"{AT}-victims")
    return node, row, draw(node, row)


def test_a_twin_goes_with_its_time_and_is_not_drawn_again(town):
    says(town, OFFER, SEVEN_DAYS)
    node, row, twin = twin_of(town)
    files = [twin_file(node, twin, form) for form in ("csv", "parquet")]
    assert all(path.exists() for path in files)
    assert delete_over(node, after(6.9)) == 0
    assert delete_over(node, after(7.1)) == 1
    assert not any(path.exists() for path in files)
    assert [row.id for row in due(node)] == [f"{AT}-victims"], "by the clock it is not over yet"
    aged = {"changed": after(-8)}
    row = commit(node.desk, lambda tx: tx.change(row, **aged), Entry("test.aged", row.id, "operator"))
    assert due(node) == []
    with pytest.raises(errors.NotAllowed, match="kept no longer"):
        draw(node, row)
    with node.store.read() as reader:
        assert reader.find(Twin) == []
        assert "twin.deleted" in {line.kind for line in reader.find(LedgerLine)}


def test_the_twin_of_a_withdrawn_dataset_goes(town):
    node, row, _ = twin_of(town)
    commit(node.desk, lambda tx: tx.change(row, state="withdrawn"), Entry("dataset.withdrawn", row.id, "p"))
    assert delete_over(node, clock.now()) == 1
