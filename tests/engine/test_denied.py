"""Naming denied system calls: every one is found, and no filter that looks for them permits anything more."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.engine_docker.denied import CALLS, KILL, deadly, find_calls
from fairnode.share import shared

PROFILE = (shared("docker") / "seccomp.json").read_text(encoding="utf-8")
calls = st.sets(st.sampled_from(CALLS), max_size=6)


@given(calls)
@settings(max_examples=50)
def test_every_denied_call_is_named(tried) -> None:
    runs = []

    def tries(some):
        runs.append(some)
        return bool(tried & set(some))

    assert find_calls(tries, 200) == (tuple(sorted(tried)), True)
    assert len(runs) <= 1 + 16 * len(tried)


@given(calls, st.integers(0, 12))
def test_with_too_few_runs_it_says_so(tried, most) -> None:
    runs = []
    found, whole = find_calls(lambda some: runs.append(1) or bool(tried & set(some)), most)
    assert len(runs) <= most
    assert set(found) <= tried
    assert not whole or set(found) == tried


@given(calls)
@settings(max_examples=20)
def test_the_filter_permits_nothing_more_and_only_turns_refusals_deadly(some) -> None:
    before, after = json.loads(PROFILE), json.loads(deadly(PROFILE, [*some, "read", "clone"]))
    assert after["defaultAction"] == before["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = [rule for rule in before["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
    assert [rule for rule in after["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"] == allowed
    fatal = {name for rule in after["syscalls"] if rule["action"] == KILL for name in rule["names"]}
    assert fatal == some
