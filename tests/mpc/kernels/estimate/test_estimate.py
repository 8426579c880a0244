"""Estimates under sharing equal the plaintext ones on every public table, and open nothing else."""

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fairnode.errors import NotValid
from fairnode.mpc.estimate.decomposable import estimate
from fairnode.mpc.estimate.fitting import FRACTION, fit
from fairnode.mpc.estimate.grid import LARGEST, TWICE_LIMITS, VALUES, figures
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import fitted_number, hidden_number, standard_error
from fairnode.mpc.estimate.program import EstimateShape, estimates
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.field import FieldKernel
from fairnode.mpc.kernels.local import Network, run_locally, split
from fairnode.mpc.kernels.sharing import to_planes
from fairnode.mpc.overlap.cells import lane
from fairnode.mpc.overlap.shape import patterns

TABLES = Path(__file__).parents[2] / "tables"
PUBLIC = ["Korea", "Artificial_3", "Kosovo", "UKdat_4", "UKdat_5", "Ned_5", "UKdat", "Ned"]


def load(name):
    """Names of lists and the cells in pattern order."""
    with (TABLES / f"{name}.csv").open() as file:
        head, *rows = csv.reader(file)
    lists = len(head) - 1
    table = {tuple(i for i in range(lists) if row[i] == "1"): int(row[-1]) for row in rows}
    return head[:-1], [table.get(p, 0) for p in patterns(lists)]


def model(names, interactions):
    return Model.of(len(names), [[names.index(n) for n in term.split(":")] for term in interactions.split()])


def under_sharing(program, cells, parties=3, threshold=1):
    async def party(exchange):
        field = FieldKernel(BitKernel(exchange))
        return await program(field, field.public(np.array(cells, object)))

    results = run_locally(Network(parties, threshold), party)
    assert all(r == results[0] for r in results)
    return results[0]


# ---- the oracle itself


def test_the_plaintext_reproduces_published_estimates():
    names, cells = load("UKdat_5")
    independence = Model.of(5, [])
    n0 = hidden_number(cells, independence)
    assert sum(cells) + n0 == pytest.approx(13444.13121, abs=1e-4)
    assert fitted_number(cells, independence) == pytest.approx(n0, rel=1e-6)
    final = model(names, "LA:NG NG:GP PFNCA:GP LA:PFNCA GO:GP NG:GO")
    assert sum(cells) + fitted_number(cells, final) == pytest.approx(11312.98998, abs=1e-3)
    names, cells = load("Ned_5")
    assert sum(cells) + hidden_number(cells, Model.of(5, [])) == pytest.approx(52923.89425, abs=1e-4)
    bic = model(names, "IO:K IO:Z K:P K:R K:Z P:Z R:Z")
    assert sum(cells) + fitted_number(cells, bic) == pytest.approx(48012.73, abs=0.01)
    names, cells = load("Korea")
    dependent = model(names, "b:c")
    assert sum(cells) + hidden_number(cells, dependent) == pytest.approx(268.7778, abs=1e-4)


def test_two_lists_are_estimated_as_by_lincoln_and_petersen():
    assert hidden_number([60, 40, 12], Model.of(2, [])) == pytest.approx(60 * 40 / 12)


def test_a_cycle_of_four_lists_has_no_closed_form_and_a_triangle_of_pairs_neither():
    assert Model.of(4, [(0, 1), (1, 2), (2, 3), (3, 0)]).separators is None
    assert Model.of(4, [(0, 1), (1, 2), (0, 2)]).separators is None
    assert sorted(Model.of(4, [(0, 1), (1, 2)]).separators) == [(), (1,)]
    assert sorted(Model.of(3, []).separators) == [(), ()]


def test_models_that_are_none_are_refused():
    with pytest.raises(NotValid, match="all lists"):
        Model.of(3, [(0, 1, 2)])
    with pytest.raises(NotValid, match="terms of lists"):
        Model.of(3, [(0, 3)])


def test_every_released_value_has_two_significant_figures():
    assert all(len(str(v).rstrip("0")) <= 2 for v in VALUES)
    assert list(VALUES) == sorted(VALUES)
    assert [figures(v) for v in (0, 0.5, 99.4, 99.5, 104.9, 105, 994_999, 995_000)] == [
        0, 1, 99, 100, 100, 110, 990_000, None,
    ]  # fmt: skip
    assert TWICE_LIMITS[-1] < 2 * LARGEST


# ---- under sharing


@pytest.mark.parametrize("name", PUBLIC)
def test_decomposable_estimates_equal_the_plaintext_rounded_on_every_public_table(name):
    names, cells = load(name)
    lists = len(names)
    models = [Model.of(lists, []), Model.of(lists, [(0, 1)]), Model.of(lists, [(0, 1), (1, 2)])]
    if lists > 3:
        models += [Model.of(lists, [(0, 1, 2)]), Model.of(lists, [(0, 1, 2), (1, 2, 3)])]

    async def program(field, shared):
        return await estimate(field, shared, models, 5000, with_errors=True)

    for made, m in zip(under_sharing(program, cells), models, strict=True):
        n0 = hidden_number(cells, m)
        assert made.hidden == figures(n0), m
        if 1 <= n0 < LARGEST:
            assert made.standard_error == figures(standard_error(cells, m, n0)), m


def test_five_compute_parties_estimate_the_same():
    _, cells = load("UKdat_5")
    models = [Model.of(5, []), Model.of(5, [(0, 1), (3, 4)])]

    async def program(field, shared):
        return await estimate(field, shared, models, 2000, with_errors=True)

    made = under_sharing(program, cells, 5, 2)
    assert [e.hidden for e in made] == [figures(hidden_number(cells, m)) for m in models]


def test_no_finite_estimate_is_reported_as_none():
    async def program(field, shared):
        return await estimate(field, shared, [Model.of(3, [])], 500, with_errors=True)

    (made,) = under_sharing(program, [100, 100, 100, 0, 0, 0, 0])
    assert (made.hidden, made.standard_error) == (None, None)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("UKdat_5", ["LA:NG NG:GP PFNCA:GP LA:PFNCA GO:GP NG:GO", "LA:NG LA:PFNCA NG:PFNCA NG:GP PFNCA:GO"]),
        ("Kosovo", ["ABA:OSCE OSCE:HRW EXH:OSCE EXH:ABA EXH:HRW"]),
        pytest.param(
            "Ned_5",
            ["IO:Z P:Z P:R IO:P K:R IO:K", "IO:K IO:Z K:P K:R K:Z P:Z R:Z"],
            marks=pytest.mark.long,
        ),
        pytest.param("Ned", ["O:Z P:Z I:Z P:R O:P K:R I:K K:O"], marks=pytest.mark.long),
    ],
)
def test_fitted_estimates_are_within_two_thousandths_of_plaintext(name, terms):
    names, cells = load(name)
    models = [model(names, t) for t in terms]

    async def program(field, shared):
        fitted = await fit(field, shared, models, 5000)
        return [float(v) / 2**FRACTION for v in await field.open(fitted)]

    for made, m in zip(under_sharing(program, cells), models, strict=True):
        assert made == pytest.approx(fitted_number(cells, m), rel=2e-3), m


# ---- the program


def opened(cells, parameters):
    """Put exact cells on lanes as superset counts and run the program's inner part."""
    lists = parameters["lists"]
    order = patterns(lists)
    supersets = [sum(n for n, r in zip(cells, order, strict=True) if set(s) <= set(r)) for s in order]
    lanes = np.zeros(64, np.uint64)
    lanes[[lane(p) for p in order]] = supersets
    planes = to_planes(lanes, parameters["bound"].bit_length())
    rows = split(planes.reshape(-1), 3, 1)

    async def party(exchange):
        kernel = BitKernel(exchange)
        words = kernel.dealt({r: rows[r] for r in kernel.held}, 0, len(planes))
        table = [words[:, i : i + 1] for i in range(len(planes))]
        return await estimates(kernel, table, EstimateShape.of(parameters))

    return run_locally(Network(3, 1), party)[0]


def test_a_small_table_opens_one_bit_and_nothing_else():
    few = [150, 30, 8, 11, 0, 0, 0]  # 199 persons
    isolated = [100, 100, 100, 10, 0, 0, 0]  # ten on two lists
    enough = [150, 30, 9, 11, 0, 0, 0]
    parameters = {"lists": 3, "bound": 400, "models": [[]], "observed": True}
    assert opened(few, parameters) == {"estimable": False}
    assert opened(isolated, parameters) == {"estimable": False}
    assert opened(enough, parameters)["estimable"] is True


def test_the_program_gives_all_figures_of_the_kosovo_table():
    _, cells = load("Kosovo")
    pairs = [(0, 1), (1, 2), (2, 3), (0, 2), (0, 3)]
    got = opened(
        cells, {"lists": 4, "bound": 2000, "models": [[], pairs], "standard_errors": True, "observed": True}
    )
    n0 = hidden_number(cells, Model.of(4, []))
    assert got == {
        "estimable": True,
        "observed": 4400,
        "models": [
            {"hidden": figures(n0), "standard_error": figures(standard_error(cells, Model.of(4, []), n0))},
            {"hidden": figures(fitted_number(cells, Model.of(4, pairs))), "standard_error": None},
        ],
    }


def test_more_than_ten_figures_are_refused():
    models = [[], *[[p] for p in combinations(range(4), 2)]]
    with pytest.raises(NotValid, match="at most 10"):
        EstimateShape.of({"lists": 4, "bound": 9, "models": models, "standard_errors": True})
