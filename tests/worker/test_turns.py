"""Whose turn it is: nobody waits because somebody else asks much."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fairnode.config import load_config, write_config
from fairnode.worker.turns import Place, next_visits


def place(number: int, requester: str, dataset: str = "d") -> Place:
    return Place(f"v{number}", requester, "p", dataset)


MANY = [place(n, "many") for n in range(100)]


def test_one_visit_of_another_does_not_wait_for_a_hundred():
    queue, turns, served = [*MANY, place(100, "few")], {}, []
    for moment in range(3):
        (visit,) = next_visits(queue, [], turns, at_once=1)
        served.append(visit)
        taken = next(p for p in queue if p.visit == visit)
        turns[taken.requester] = moment
        queue.remove(taken)
    assert served == ["v0", "v100", "v1"]


def test_a_colleague_with_one_visit_does_not_wait_for_a_hundred_of_the_same_organisation():
    queue = [Place(f"v{n}", "police", "rosa", "d") for n in range(100)]
    queue += [Place("v100", "police", "ruud", "d"), Place("v101", "labour", "rosa", "d")]
    assert next_visits(queue, [], {}, at_once=4) == ["v0", "v101", "v100", "v1"]
    assert next_visits(queue, [Place("r1", "police", "rosa", "d")], {}, at_once=3) == ["v101", "v100"]


def test_side_by_side_they_share_what_there_is():
    queue = [*MANY, *(place(n, "few") for n in range(100, 110))]
    asked = Counter(p.requester for p in queue if p.visit in next_visits(queue, [], {}, at_once=8))
    assert asked == {"many": 4, "few": 4}


def test_what_runs_already_counts():
    running = [place(200, "many"), place(201, "many")]
    assert next_visits([*MANY, place(100, "few")], running, {}, at_once=3) == ["v100"]
    assert next_visits(MANY, running, {}, at_once=2) == []


def test_one_visit_a_dataset_where_the_node_wants_it_so():
    queue = [place(1, "a", "x"), place(2, "a", "x"), place(3, "b", "y")]
    assert next_visits(queue, [], {}, at_once=9) == ["v1", "v3", "v2"]
    assert next_visits(queue, [], {}, at_once=9, one_per_dataset=True) == ["v1", "v3"]
    assert next_visits(queue, [place(9, "c", "x")], {}, at_once=9, one_per_dataset=True) == ["v3"]


def test_one_visit_at_a_time_where_the_datasets_policy_says_so():
    queue = [
        Place("v1", "a", "p", "x", alone=True),
        Place("v2", "b", "p", "x", alone=True),
        *map(place, (3, 4), "ab"),
    ]
    assert next_visits(queue, [], {}, at_once=9) == ["v1", "v4", "v3"]
    assert next_visits(queue, [Place("v9", "c", "p", "x", alone=True)], {}, at_once=9) == ["v3", "v4"]


PLACES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=30).map(
    lambda told: [place(n, *pair) for n, pair in enumerate(told)]
)


@given(PLACES, PLACES, st.integers(1, 10), st.booleans())
def test_never_too_many_never_twice_and_never_idle(waiting, running, at_once, one):
    active = [Place(f"r{p.visit}", p.requester, p.person, p.dataset) for p in running]
    chosen = next_visits(waiting, active, {}, at_once=at_once, one_per_dataset=one)
    assert len(set(chosen)) == len(chosen)
    assert len(chosen) <= max(0, at_once - len(active))
    if not one:
        assert len(chosen) == min(len(waiting), max(0, at_once - len(active)))
    datasets = [p.dataset for p in waiting if p.visit in chosen]
    assert not one or len(set(datasets)) == len(datasets)


def test_the_setting_is_kept_as_toml(site, tmp_path):
    config = site.config
    wanted = replace(
        config, directory=tmp_path / "n", settings=replace(config.settings, one_visit_per_dataset=True)
    )
    write_config(wanted)
    assert load_config(tmp_path / "n").settings.one_visit_per_dataset is True
