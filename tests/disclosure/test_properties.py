"""Whatever the data: what is shown is large, what is hidden stays hidden, also over several releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fairnode.disclosure.history import Difference, History, UniverseDifference, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import stricter
from fairnode.jobs.lp_audit import audit
from fairnode.jobs.lp_exact import attackers
from fairnode.records.result import Condition, Kind, Outcome, Status

# No shrinking: each example takes many linear programs, and a seed is enough to repeat it.
SETTINGS = settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
QUESTIONS = [(), ("region",), ("year",), ("region", "year"), ("region", "form"), ("region", "year", "form")]


@st.composite
def people(draw):
    """Rows of a skewed table: some cells large, many small, some codes not recorded, persons seen twice."""
    rows, person = [], 0
    for region in "ABC":
        for year in "123":
            for form in ("s", "l", None):
                size = draw(st.sampled_from([0, 0, 1, 3, 9, 10, 11, 12, 14, 25, 60]))
                for _ in range(size):
                    person += 1
                    again = draw(st.integers(0, 30)) == 0 if size < 12 else False
                    rows.append(
                        {
                            "person": person - 1 if again else person,
                            "region": region,
                            "year": year,
                            "form": form,
                        }
                    )
    return rows


@pytest.fixture
def small_floor(rules):
    """The floor, but for studies about fewer persons, so that small random data are enough."""
    lowered = tuple(
        replace(rule, values={"persons": 0}) if rule.id == "universe" else rule for rule in rules.rules
    )
    return replace(rules, rules=lowered)


MANY = settings(SETTINGS, max_examples=400)


def ask(counting, spec, rows, questions, *, history=None, rules, conditions=()):
    recount = counting(rows, [spec(*question) for question in questions], conditions)
    return recount, judge(recount, rules, history or History(), audit)


@SETTINGS
@given(rows=people(), questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3, unique=True))
def test_no_shown_cell_is_about_fewer_than_the_threshold(counting, spec, small_floor, rows, questions):
    recount, verdict = ask(counting, spec, rows, questions, rules=small_floor)
    for counted, table in zip(recount.tables, verdict.tables, strict=True):
        for cell, public in zip(counted.cells, table.cells, strict=True):
            assert cell.key == public.key
            if public.status is Status.SHOWN:
                assert min(cell.persons, cell.rows) >= small_floor.k
                assert public.n % 5 == 0
                assert abs(public.n - cell.n) <= 2
            else:
                assert public.n is None
                assert public.v is None


@SETTINGS
@given(rows=people(), questions=st.lists(st.sampled_from(QUESTIONS), min_size=2, max_size=3, unique=True))
@pytest.mark.parametrize("exact", [False, True])
def test_no_hidden_cell_can_be_bounded_from_the_tables_of_one_release(
    counting, attacking, spec, shown, small_floor, rows, questions, exact
):
    recount, verdict = ask(counting, spec, rows, questions, rules=small_floor)
    releases = [shown(t, (), c) for t, c in zip(verdict.tables, recount.tables, strict=True)]
    widths = attacking(releases, small_floor.k, exact=exact)
    assert all(width >= small_floor.k - 1e-6 for width in widths.values()), widths


@pytest.mark.long
@MANY
@given(
    rows=people(),
    questions=st.lists(st.sampled_from(QUESTIONS), min_size=2, max_size=3, unique=True),
    by=st.sampled_from([(), ("region",), ("year",), ("region", "year")]),
)
def test_nothing_hidden_can_be_bounded_from_many_tables(
    counting, attacking, spec, shown, small_floor, rows, questions, by
):
    share = spec(*by, kind=Kind.PROPORTION, numerator=Condition("form", frozenset("s")))
    recount = counting(rows, [share, *(spec(*question) for question in questions)])
    verdict = judge(recount, small_floor, History(), audit)
    releases = [shown(t, (), c) for t, c in zip(verdict.tables, recount.tables, strict=True)]
    widths = attacking(releases, small_floor.k, exact=True)
    assert all(width >= small_floor.k - 1e-6 for width in widths.values()), widths


@SETTINGS
@given(
    rows=people(),
    questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=2, unique=True),
    by=st.sampled_from([(), ("region",), ("year",), ("region", "year")]),
)
def test_no_small_part_of_a_hidden_proportion_can_be_bounded(
    counting, attacking, spec, shown, small_floor, rows, questions, by
):
    share = spec(*by, kind=Kind.PROPORTION, numerator=Condition("form", frozenset("s")))
    recount = counting(rows, [share, *(spec(*question) for question in questions)])
    verdict = judge(recount, small_floor, History(), audit)
    releases = [shown(t, (), c) for t, c in zip(verdict.tables, recount.tables, strict=True)]
    widths = attacking(releases, small_floor.k, exact=True)
    assert all(width >= small_floor.k - 1e-6 for width in widths.values()), widths


@SETTINGS
@given(
    rows=people(),
    first=st.sampled_from(QUESTIONS),
    second=st.sampled_from(QUESTIONS),
    years=st.sampled_from([None, frozenset("12"), frozenset("1")]),
)
def test_no_hidden_cell_can_be_bounded_from_two_releases(
    counting, attacking, spec, shown, small_floor, rows, first, second, years
):
    conditions = () if years is None else (Condition("year", years),)
    one, verdict = ask(counting, spec, rows, [first], rules=small_floor)
    earlier = remember(
        one, verdict, release="1", requester="somebody", nodes=frozenset({"n"}), day=date(2026, 1, 1)
    )
    history = History(releases=(earlier,))
    two, again = ask(
        counting, spec, rows, [second], history=history, rules=small_floor, conditions=conditions
    )
    if again.outcome is Outcome.STORED:
        assert (first, conditions) == (second, ())
        return
    releases = [
        shown(verdict.tables[0], (), one.tables[0]),
        shown(again.tables[0], conditions, two.tables[0]),
    ]
    known = attacking([releases[0], _silent(releases[1])], small_floor.k, exact=True)
    for place, width in attacking(releases, small_floor.k, exact=True).items():
        assert width >= min(small_floor.k, known[place]) - 1e-6


SHARES = [
    ("form", "s", ()),
    ("form", "s", ("region",)),
    ("form", "s", ("region", "year")),
    ("region", "AB", ("form",)),
    ("year", "1", ("region",)),
    ("year", "12", ("region", "form")),
]
FILTERS = [
    {},
    {"year": "12"},
    {"year": "23"},
    {"region": "AB"},
    {"region": "BC"},
    {"form": "s"},
    {"region": "AB", "year": "12"},
]
ANY = st.tuples(
    st.sampled_from([*QUESTIONS, ("form",), ("year", "form")]) | st.sampled_from(SHARES).map(list),
    st.sampled_from(FILTERS),
)


def _asked(spec, question):
    """A table of counts over these variables, or (variable, codes, by) the share of some codes."""
    if isinstance(question, tuple):
        return spec(*question)
    variable, codes, by = question
    numerator = Condition(variable, frozenset(codes))
    return spec(
        *by, kind=Kind.PROPORTION, numerator=numerator, name=f"share-{variable}{codes}-{'-'.join(by)}"
    )


def _one_after_the_other(counting, attacking, spec, shown, rules, rows, asked, audit=audit):
    """Releases, each judged with those before it: what is hidden stays so, whatever comes next."""
    releases, earlier = [], ()
    for position, (question, only) in enumerate(asked):
        conditions = tuple(Condition(variable, frozenset(codes)) for variable, codes in only.items())
        recount = counting(rows, [_asked(spec, question)], conditions)
        verdict = judge(recount, rules, History(earlier), audit)
        if verdict.outcome is Outcome.STORED:
            continue
        assert verdict.outcome is Outcome.RELEASED
        name, day = str(position), date(2026, 1, position + 1)
        memory = remember(recount, verdict, release=name, requester="r", nodes=frozenset({"n"}), day=day)
        earlier = (*earlier, memory)
        releases.append(shown(verdict.tables[0], conditions, recount.tables[0]))
        narrow = {p: w for p, w in attacking(releases, rules.k, exact=True).items() if w < rules.k - 1e-6}
        if narrow:  # then the releases before it told as much, whatever this one had said
            known = attacking([*releases[:-1], _silent(releases[-1])], rules.k, exact=True)
            assert all(width >= known[place] - 1e-6 for place, width in narrow.items()), (narrow, asked)
    return releases


def _silent(release):
    """A release that shows nothing."""
    cells = tuple(replace(cell, status=Status.HIDDEN, n=None) for cell in release.table.cells)
    return replace(release, table=replace(release.table, cells=cells))


@pytest.mark.long
@MANY
@given(rows=people(), asked=st.lists(ANY, min_size=2, max_size=2))
def test_nothing_hidden_can_be_bounded_from_many_series_of_two_releases(
    counting, attacking, spec, shown, small_floor, rows, asked
):
    _one_after_the_other(counting, attacking, spec, shown, small_floor, rows, asked)


@pytest.mark.long
@MANY
@given(rows=people(), asked=st.lists(ANY, min_size=3, max_size=4))
def test_nothing_hidden_can_be_bounded_from_many_series_of_three_releases(
    counting, attacking, spec, shown, small_floor, rows, asked
):
    _one_after_the_other(counting, attacking, spec, shown, small_floor, rows, asked)


# Rows by region, year and form (short, long, not recorded), and releases that tell more together than two by two.
TELLING = {
    "A": ((3, 10, 25), (9, 10, 11), (0, 9, 12)),
    "B": ((0, 0, 11), (25, 60, 1), (1, 14, 60)),
    "C": ((14, 0, 9), (14, 25, 9), (10, 0, 14)),
}
TOGETHER = [
    (("region", "form"), {"year": "23"}),
    (("region", "year"), {"form": "s"}),
    (("region", "form"), {}),
    (["year", "12", ("region", "form")], {"year": "12"}),
]


def _of_sizes(sizes):
    return [
        {"person": (region, year, form, number), "region": region, "year": year, "form": form}
        for region, years in sizes.items()
        for year, forms in zip("123", years, strict=True)
        for form, size in zip(("s", "l", None), forms, strict=True)
        for number in range(size)
    ]


@pytest.mark.parametrize("everything", [True, False])
def test_releases_do_not_tell_together_what_no_two_of_them_do(
    counting, attacking, spec, shown, small_floor, everything
):
    told = (counting, attacking, spec, shown, small_floor, _of_sizes(TELLING), TOGETHER)
    if everything:
        _one_after_the_other(*told)
        return
    # what this is a test of: sums of two tables alone let it through
    with pytest.raises(AssertionError, match="'B', '1', 'n'"):
        _one_after_the_other(*told, lambda question: audit(replace(question, joints=())))


REPEATS = settings(SETTINGS, max_examples=4)


@REPEATS
@given(rows=people(), asked=st.lists(ANY, min_size=3, max_size=3))
def test_what_was_counted_at_one_time_fits_together(counting, spec, small_floor, rows, asked):
    earlier, fits = (), []

    def noting(question):
        for joint in question.joints:
            fits.extend(attacker.fits for attacker in attackers(joint, question.k, float("inf")))
        return audit(question)

    for position, (question, only) in enumerate(asked):
        conditions = tuple(Condition(variable, frozenset(codes)) for variable, codes in only.items())
        recount = counting(rows, [_asked(spec, question)], conditions)
        verdict = judge(recount, small_floor, History(earlier), noting)
        if verdict.outcome is Outcome.RELEASED:
            names = {"release": str(position), "requester": "r", "nodes": frozenset({"n"})}
            earlier = (*earlier, remember(recount, verdict, **names, day=date(2026, 1, position + 1)))
    assert all(fits)


@REPEATS
@given(rows=people(), order=st.permutations(["region", "year"]), days=st.integers(2, 4))
def test_the_mean_of_repeated_answers_says_no_more_than_one_of_them(
    counting, spec, small_floor, rows, order, days
):
    # The same cells in other words: another name, another order, a filter that everybody meets, as a denominator.
    numerator = Condition("region", frozenset("ABC"))
    wordings = [
        (spec("region", "year"), ()),
        (spec(*order, name="again"), (Condition("year", frozenset("123")),)),
        (spec("region", "year", kind=Kind.PROPORTION, numerator=numerator, name="share"), ()),
    ]
    answers, earlier = {}, ()
    for day in range(days):
        table, conditions = wordings[day % len(wordings)]
        recount = counting(rows, [table], conditions)
        verdict = judge(recount, small_floor, History(earlier), audit)
        if verdict.outcome is not Outcome.RELEASED:
            assert day >= len(wordings) or order == ["region", "year"]
            continue
        names = {"release": str(day), "requester": f"r{day}", "nodes": frozenset({"n"})}
        earlier = (*earlier, remember(recount, verdict, **names, day=date(2026, 1, day + 1)))
        for cell in verdict.tables[0].cells:
            if cell.status is Status.SHOWN:
                where = tuple(sorted(cell.key))
                answers.setdefault(where, set()).add(cell.n)
    assert all(len(numbers) == 1 for numbers in answers.values()), answers


@REPEATS
@given(rows=people(), wholes=st.permutations([("region",), ("year",), ()]))
def test_totals_against_sums_of_rounded_cells_tell_no_hidden_one(
    counting, attacking, spec, shown, small_floor, rows, wholes
):
    asked = [(("region", "year"), {}), *((whole, {}) for whole in wholes)]
    releases = _one_after_the_other(counting, attacking, spec, shown, small_floor, rows, asked)
    for release in releases:
        shown_of = [cell.n for cell in release.table.cells if cell.n is not None]
        total = next(margin.n for margin in release.table.margins if margin.variable is None)
        assert total == (sum(shown_of) if shown_of else None)
    # the rounded numbers say less than the exact ones, from which nothing followed
    widths = attacking(releases, small_floor.k, exact=False)
    assert all(width >= small_floor.k - 1e-6 for width in widths.values()), widths


@SETTINGS
@given(rows=people(), gone=st.integers(0, 25), question=st.sampled_from(QUESTIONS))
def test_no_two_shown_cells_of_two_releases_differ_by_a_few_persons(
    counting, spec, small_floor, rows, gone, question
):
    fewer = rows[gone:]
    one, verdict = ask(counting, spec, rows, [question], rules=small_floor)
    earlier = remember(
        one, verdict, release="1", requester="somebody", nodes=frozenset({"n"}), day=date(2026, 1, 1)
    )
    sets = [
        {
            (table, key): {row["person"] for row in data if _in(row, table, key)}
            for table in [spec(*question)]
            for key in list(table.keys())
        }
        for data in (rows, fewer)
    ]
    differences = tuple(
        Difference(t.id, key, "1", t.id, other, len(now ^ then))
        for (t, key), now in sets[1].items()
        for (_, other), then in sets[0].items()
        if now & then and now != then
    )
    everybody = [{row["person"] for row in data} for data in (rows, fewer)]
    universe = UniverseDifference("1", 0, len(everybody[0] - everybody[1]))
    history = History((earlier,), differences, (), (universe,))
    _, again = ask(counting, spec, fewer, [question], history=history, rules=small_floor)
    if again.outcome is not Outcome.RELEASED:
        return
    before = {c.key for c in verdict.tables[0].cells if c.status is Status.SHOWN}
    after = {c.key for c in again.tables[0].cells if c.status is Status.SHOWN}
    for (_, key), now in sets[1].items():
        for (_, other), then in sets[0].items():
            if key in after and other in before:
                assert not 0 < len(now ^ then) < small_floor.k


def _in(row, table, key):
    return all(row[axis.variable] == code for axis, code in zip(table.dimensions, key, strict=True))


@SETTINGS
@given(rows=people(), questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3), data=st.data())
def test_the_order_of_rows_does_not_matter(counting, spec, small_floor, rows, questions, data):
    questions = list(dict.fromkeys(questions))
    shuffled = data.draw(st.permutations(rows)) if len(rows) < 200 else rows[::-1]
    _, one = ask(counting, spec, rows, questions, rules=small_floor)
    _, two = ask(counting, spec, shuffled, questions, rules=small_floor)
    assert one == two


@SETTINGS
@given(rows=people(), questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=2, unique=True))
def test_asking_again_gives_the_stored_answer(counting, spec, small_floor, rows, questions):
    recount, verdict = ask(counting, spec, rows, questions, rules=small_floor)
    _, same = ask(counting, spec, rows, questions, rules=small_floor)
    assert verdict == same
    earlier = remember(
        recount, verdict, release="7", requester="somebody", nodes=frozenset({"n"}), day=date(2026, 1, 1)
    )
    _, again = ask(counting, spec, rows, questions, history=History((earlier,)), rules=small_floor)
    assert again.outcome is Outcome.STORED
    assert again.stored_release == "7"
    assert again.tables == ()


def test_a_small_universe_is_refused_by_the_floor(counting, spec, rules):
    rows = [{"person": i, "region": "A", "year": "1", "form": "s"} for i in range(109)]
    _, verdict = ask(counting, spec, rows, [("region",)], rules=rules)
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.refusals == ("universe",)
    rows.append({"person": 109, "region": "A", "year": "1", "form": "s"})
    _, verdict = ask(counting, spec, rows, [("region",)], rules=stricter(rules, {"threshold.k": 12}))
    assert verdict.outcome is Outcome.RELEASED
