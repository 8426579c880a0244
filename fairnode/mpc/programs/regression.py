"""`regression`: a logistic or Poisson regression over all contributors' persons, of which only the fit is opened.

**Shape.** `design`: the rows of covariates of `patterns` patterns, public and signed with the study (the first
column is the intercept). Each contributor deals two lists of whole numbers by pattern: persons (or units of
exposure) and events. For a logistic fit no pattern has more events than persons. Both are recounted by
the node (class A).
**Ranges.** Every number is dealt as so many bits as `largest` has.
**What is opened.** To the recipient: whether the rules hold; if so, whether the fit has a finite maximum
("separable" data have none); if so, coefficients and variances to three significant figures. The rules: at
least ten persons a coefficient and K in all; every cell of every two-way table of covariates, and of each
covariate by outcome for a logistic fit, has no person or at least K, also without any coalition of
contributors. To the compute parties and to the contributors: nothing, no iterate either.

**How.** `mpc.regression`: rules as a circuit on shared bits, Newton's method in fixed point on shared integers;
masked openings differ from uniform by at most 2^-40 each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import NotValid
from fairnode.mpc import kernels, regression
from fairnode.mpc.dealing import Ring, Rows, Words
from fairnode.mpc.kernels import table as tables
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.field import FieldKernel, Share
from fairnode.mpc.kernels.numbers import Number, all_of, keep, sum_numbers
from fairnode.mpc.kernels.opening import OpeningRule
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.sharing import ALL_ONES, pack, unpack
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import checks
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shares, Table
from fairnode.mpc.regression.design import LOGISTIC, Design
from fairnode.mpc.regression.figures import planes_of_figures, read_figures, three_figures
from fairnode.mpc.regression.fit import WIDE, Fit, fit
from fairnode.mpc.regression.rules import allowed

LARGEST = 1 << 20


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for parameters out of range, what is no design, or too few contributors."""
    rest = {name: value for name, value in parameters.items() if name not in ("family", "design")}
    checks.check_parameters("regression", rest, {"largest": range(1, LARGEST + 1), "engine": ("bits",)})
    Design.of(parameters)
    rule.check_contributors(contributors, parties)


def length(parameters: Parameters, _: int = 0) -> int:
    """How many words each contributor deals: persons and events as planes of bits."""
    return 2 * int(parameters["largest"]).bit_length() * -(-Design.of(parameters).patterns // 64)


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[persons, events]` by pattern. Raises NotValid for more events than persons in a logistic fit."""
    design = Design.of(parameters)
    checks.check_columns(columns, 2, design.patterns, lambda _: int(parameters["largest"]))
    if design.family == LOGISTIC and any(e > n for n, e in zip(*columns, strict=True)):
        raise NotValid("A pattern has more events than persons, which a logistic fit does not take.")
    return tables.words(np.array(columns, dtype=np.uint64), int(parameters["largest"]).bit_length())


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: the words `status` (allowed, settled) and `figures`."""
    exchange = await connect(session.runtime)
    kernel, design = BitKernel(exchange), Design.of(parameters)
    field = FieldKernel(kernel)
    dealt = [_numbers(kernel, rows, design, parameters) for rows in inputs]
    size = rule.coalition_size(len(inputs), session.m)
    fine = await allowed(kernel, design, dealt, OpeningRule(checks.bound(parameters), size))
    persons, events = [await _whole(field, [each[i] for each in dealt], design.patterns) for i in (0, 1)]
    most = len(inputs) * design.patterns * int(parameters["largest"])
    made = await fit(field, design, persons, events, most)
    words = await _released(field, fine, made)
    session.runtime.opened_values += exchange.traffic.opened
    return {"words": kernel.to_rows(words)}


def _numbers(kernel: BitKernel, rows: Rows, design: Design, parameters: Parameters) -> tuple[Number, Number]:
    """One contributor's persons and events as planes."""
    words, bits = -(-design.patterns // 64), int(parameters["largest"]).bit_length()
    planes = kernel.dealt(rows.rows, 0, rows.length).reshape(len(kernel.held), 2, bits, words)
    return [planes[:, 0, i] for i in range(bits)], [planes[:, 1, i] for i in range(bits)]


async def _whole(field: FieldKernel, numbers: Sequence[Number], count: int) -> Share:
    """The sum of numbers on lanes as shared integers."""
    bits = len(numbers[0]) + len(numbers).bit_length()
    total = await sum_numbers(field.bits, numbers, bits)
    packed = pack(np.concatenate([unpack(plane, count) for plane in total], axis=1).astype(bool))
    values = (await field.from_bits(packed, bits * count)).reshape(bits, count)
    return np.asarray(sum(value * (1 << i) for i, value in enumerate(values)))


async def _released(field: FieldKernel, fine: Words, made: Fit) -> Words:
    """Status and figures as shared words: those of the fit are zero unless both status bits are one."""
    kernel, count = field.bits, len(made.coefficients)
    both = await all_of(kernel, [fine, made.settled & np.uint64(1)])
    positive = await field.not_negative(made.coefficients, WIDE)
    signs = await field.from_bits(positive, count)
    size = await field.multiply(2 * signs - 1, made.coefficients)
    figures = [positive & np.uint64((1 << count) - 1)]
    figures += await three_figures(field, size)
    figures += await three_figures(field, made.variances)
    shown = await keep(kernel, (both & np.uint64(1)) * ALL_ONES, figures)
    return np.concatenate([fine, both, *shown], axis=1)


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """`state`: "shown", "hidden" (the rules do not hold) or "separable"; coefficients and standard errors."""
    fine, both, positive, *figures = opened["words"]
    told = {"family": parameters["family"], "bound": checks.bound(parameters), "lists": parameters["lists"]}
    if not fine & 1 or not both & 1:
        state = "separable" if fine & 1 else "hidden"
        return {**told, "state": state, "coefficients": None, "standardErrors": None}
    count, half = Design.of(parameters).columns, planes_of_figures()
    sizes = read_figures(figures[:half], count)
    variances = read_figures(figures[half:], count)
    return {
        **told,
        "state": "shown",
        "coefficients": [s if positive >> i & 1 else -s for i, s in enumerate(sizes)],
        "standardErrors": [float(f"{math.sqrt(v):.3g}") for v in variances],
    }


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    design, least = Design.of(parameters), checks.bound(parameters)
    return (
        f"A {design.family} regression with {design.columns} coefficients over {design.patterns} patterns of "
        "covariates. Coefficients and standard errors are shown to three figures, and only if there are ten "
        f"persons for each coefficient and every cell of two covariates has nobody or at least {least}, also "
        "without any small group of contributors. No step of the fit is shown to anyone."
    )


_PARTS = tuple(f"{regression.__name__}.{part}" for part in ("design", "fit", "figures", "rules"))
REGRESSION = Program(
    name="regression",
    version="1",
    ring=lambda _: Ring.XOR,
    sources=(
        *(__name__, checks.__name__, rule.__name__, tables.__name__),
        *_PARTS,
        *kernels.BIT_SOURCES,
        *kernels.RULE_SOURCES,
        *kernels.FIELD_SOURCES,
    ),
    check=check,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
