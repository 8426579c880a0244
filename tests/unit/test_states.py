"""The one table of transitions: nothing else is possible, in words as in the store."""

from __future__ import annotations

import itertools

import pytest

from fairnode import errors
from fairnode.records.states import (
    TRANSITIONS,
    PublicState,
    VisitState,
    check_may_follow,
    diagram,
    ended,
    may_follow,
    public_state,
)

PAIRS = [(kind, a, b) for kind, table in TRANSITIONS.items() for a, b in itertools.product(table, table)]


@pytest.mark.parametrize(("kind", "before", "after"), PAIRS)
def test_only_what_the_table_says_may_follow(kind, before, after) -> None:
    if after in TRANSITIONS[kind][before]:
        check_may_follow(kind, before, after)
        return
    assert not may_follow(kind, before, after)
    with pytest.raises(errors.Conflict, match="cannot become"):
        check_may_follow(kind, before, after)


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_every_state_can_be_reached_and_every_state_leads_to_an_end(kind) -> None:
    table = TRANSITIONS[kind]
    first = next(iter(table))
    reached, todo = {first}, [first]
    while todo:
        todo += (new := set(table[todo.pop()]) - reached)
        reached |= new
    assert reached == set(table)
    for state in table:
        seen, todo = {state}, [state]
        while todo:
            todo += (new := set(table[todo.pop()]) - seen)
            seen |= new
        assert any(ended(kind, s) for s in seen)


def test_a_visit_can_be_cancelled_in_every_state_but_an_end() -> None:
    assert [
        s for s, after in TRANSITIONS["visit"].items() if after and VisitState.CANCELLED not in after
    ] == []


def test_nothing_runs_that_was_not_approved() -> None:
    table = TRANSITIONS["visit"]
    assert [s for s in table if VisitState.PREPARING in table[s]] == [VisitState.APPROVED]
    assert [s for s in table if VisitState.RUNNING in table[s]] == [VisitState.PREPARING]


def test_nothing_is_released_that_did_not_pass_the_gate() -> None:
    table = TRANSITIONS["visit"]
    assert {s for s in table if VisitState.RELEASED in table[s]} == {VisitState.PASSED, VisitState.SHARED}
    assert {s for s in table if VisitState.PASSED in table[s]} == {
        VisitState.QUARANTINED,
        VisitState.REVIEWING,
    }


def test_outsiders_cannot_tell_the_ways_of_not_being_released_apart() -> None:
    ways = {s for s in VisitState if ended("visit", s)} - {VisitState.RELEASED}
    assert len(ways) == 6
    assert {public_state(s) for s in ways} == {PublicState.NOT_RELEASED}
    assert public_state(VisitState.RELEASED) is PublicState.RELEASED


@pytest.mark.parametrize("kind", TRANSITIONS)
def test_the_diagram_has_an_arrow_for_each_transition(kind) -> None:
    arrows = diagram(kind).splitlines()
    assert arrows[0] == "stateDiagram-v2"
    assert len(arrows) - 1 == sum(len(after) for after in TRANSITIONS[kind].values())


def test_an_end_says_that_nothing_more_can_be_done() -> None:
    with pytest.raises(errors.Conflict) as refused:
        check_may_follow("study", "finished", "sent")
    assert "nothing more" in refused.value.to_do
