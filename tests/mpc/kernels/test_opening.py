"""The opening rule as a circuit decides exactly as the rule reads, and opens only rounded totals."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.errors import NotValid
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.opening import OpeningRule, judge
from fairnode.mpc.kernels.sharing import from_planes, to_planes


def plain_rule(counts, changes, rule):
    """The rule P4-P6 in clear, for one cell: the rounded total, or None."""
    total = sum(counts)
    coalitions = [a for size in range(1, rule.coalition + 1) for a in combinations(counts, size)]
    rests = [total - sum(a) for a in coalitions] + [sum(c) for c in changes]
    shown = total >= rule.least and all(r == 0 or r >= rule.least for r in rests)
    if rule.dominance is not None:
        shown = shown and all(100 * x <= rule.dominance * total for x in counts)
    return (total + rule.base // 2) // rule.base * rule.base if shown else None


def judged(counts, changes, rule, bits=6, parties=3, threshold=1):
    """`counts` and `changes[e]`: contributors x cells. Deals, judges, joins; the opened table."""
    cells = len(counts[0])
    tables = [counts, *changes]
    dealt = [
        [split(to_planes(np.array(row, np.uint64), bits).reshape(-1), parties, threshold) for row in t]
        for t in tables
    ]

    async def party(exchange):
        kernel = BitKernel(exchange)
        words = -(-cells // 64)
        numbers = []
        for table in dealt:
            numbers.append([])
            for rows in table:
                x = kernel.dealt({r: rows[r] for r in kernel.held}, 0, bits * words)
                x = x.reshape(len(kernel.held), bits, words)
                numbers[-1].append([x[:, i] for i in range(bits)])
        result = await judge(kernel, numbers[0], numbers[1:], rule)
        planes = [result.status, *result.total]
        return (await kernel.open_to_all(np.concatenate(planes, axis=1))).reshape(len(planes), -1)

    opened = run_locally(Network(parties, threshold), party)[0]
    status, totals = from_planes(opened[:1], cells), from_planes(opened[1:], cells)
    assert not totals[status == 0].any(), "a hidden cell left as something other than zero"
    return [int(t) if s else None for s, t in zip(status, totals, strict=True)]


@st.composite
def tables(draw):
    contributors = draw(st.integers(3, 5))
    cells = draw(st.integers(1, 70))
    small = st.one_of(st.integers(0, 12), st.integers(0, 63), st.just(0))
    row = st.lists(small, min_size=cells, max_size=cells)
    counts = draw(st.lists(row, min_size=contributors, max_size=contributors))
    earlier = draw(st.integers(0, 2))
    changes = [draw(st.lists(row, min_size=contributors, max_size=contributors)) for _ in range(earlier)]
    rule = OpeningRule(
        least=draw(st.integers(1, 30)),
        coalition=draw(st.integers(1, contributors - 2)),
        base=draw(st.sampled_from([1, 3, 5, 10])),
        dominance=draw(st.sampled_from([None, 50, 85, 100])),
    )
    return counts, changes, rule


@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_the_circuit_decides_as_the_rule_reads(table):
    counts, changes, rule = table
    expected = [
        plain_rule([row[i] for row in counts], [[row[i] for row in c] for c in changes], rule)
        for i in range(len(counts[0]))
    ]
    assert judged(counts, changes, rule) == expected


def test_five_compute_parties_decide_the_same():
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 20, (6, 200)).tolist()
    rule = OpeningRule(least=11, coalition=2)
    expected = [plain_rule(list(cell), [], rule) for cell in zip(*counts, strict=True)]
    assert any(v is None for v in expected)
    assert any(v is not None for v in expected)
    assert judged(counts, [], rule, parties=5, threshold=2) == expected


def test_a_total_of_zero_is_hidden_and_a_rest_of_zero_is_not_a_leak():
    assert judged([[0, 11], [0, 0], [0, 0]], [], OpeningRule(least=11)) == [None, 10]


@pytest.mark.parametrize(
    ("contributions", "coalition", "opens"),
    [
        ([20, 20, 20], 1, True),
        ([5, 5, 0], 1, False),
        ([30, 10, 0], 1, False),
        ([30, 0, 0], 1, True),
        ([30, 11, 0], 1, True),
        ([12, 11, 5, 0], 2, False),
        ([12, 11, 11, 0], 2, True),
        ([45, 10, 0, 0], 2, False),
    ],
)
def test_a_total_opens_only_if_no_coalition_is_left_with_a_few_others(contributions, coalition, opens):
    (opened,) = judged([[n] for n in contributions], [], OpeningRule(least=11, coalition=coalition))
    assert (opened is not None) is opens


def test_too_few_contributors_are_refused_before_anything_is_sent():
    with pytest.raises(NotValid, match="too few"):
        OpeningRule(least=11, coalition=2).check(3)
    with pytest.raises(NotValid, match="too few"):
        OpeningRule(least=11).check(2)
