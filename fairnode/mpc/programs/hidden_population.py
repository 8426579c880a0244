"""`overlap-estimate`: how many persons are on none of the lists, estimated without anybody seeing an overlap.

**Shape.** Three to six contributors, each with one list of at most `bound` persons; a contributor deals the
`OverlapShape.length(place)` words of its two hashed tables (`mpc.overlap.tables`). `models`: the log-linear
models registered with the study, each a list of interactions between places. `standard_errors`, `observed`:
whether these are asked for.
**What is opened.** To the compute parties and the recipient: whether the table is large enough (200 persons,
11 of them on two or more lists); if so at most ten figures of two digits. No cell of the table, in no form.
**How.** The exact overlap is counted and stays shared; what is estimated from it is in `mpc.estimate`. What
all parties know is put into their output as constant polynomials, so that a party that tells another figure
than the others is noticed where outputs are joined.

`overlap-open-synthetic` opens the exact table, for tests (P10): another program with another digest, which
nodes refuse unless every dataset is flagged synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import NotAllowed, NotValid
from fairnode.mpc import kernels
from fairnode.mpc.dealing import P61, Ring, Rows, Words
from fairnode.mpc.estimate import closed_form, decomposable, fitting, grid, models, plain
from fairnode.mpc.estimate import program as estimating
from fairnode.mpc.estimate.decomposable import Estimate
from fairnode.mpc.estimate.program import EstimateShape, interval
from fairnode.mpc.kernels import count
from fairnode.mpc.kernels.result import Result
from fairnode.mpc.openings import rule
from fairnode.mpc.overlap import cells, matches, program_synthetic, shape, solving, tables
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.programs.contract import (
    RUN_SECONDS,
    Columns,
    Parameters,
    Program,
    Session,
    Shares,
    Table,
)

PERSONS_A_SECOND = 250
NO_VALUE = P61 - 1
"""Stands for "no finite value": no figure is as large."""
_OVERLAP_FIELDS = frozenset({"lists", "bound", "fingerprint", "slots"})
OVERLAP_SOURCES = (
    *(__name__, rule.__name__, shape.__name__, tables.__name__, solving.__name__),
    *(matches.__name__, cells.__name__),
    *(count.__name__, Result.__module__),
    *(*kernels.BIT_SOURCES, *kernels.RULE_SOURCES, *kernels.FIELD_SOURCES),
)


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid for a shape, models or a number of figures that are not taken, or too few lists."""
    _check_fields("overlap-estimate", parameters, _OVERLAP_FIELDS | {"models", "standard_errors", "observed"})
    EstimateShape.of(parameters)
    _check_lists(parameters, contributors, parties)


def check_synthetic(parameters: Parameters, contributors: int, parties: int) -> None:
    """As `check`, without models. Raises NotAllowed unless the study says that all data are synthetic."""
    _check_fields("overlap-open-synthetic", parameters, _OVERLAP_FIELDS | {"synthetic"})
    if parameters["synthetic"] is not True:
        raise NotAllowed("The whole table may be opened for synthetic data only, and this study is not.")
    OverlapShape.of(parameters)
    _check_lists(parameters, contributors, parties)


def _check_fields(program: str, parameters: Parameters, wanted: frozenset[str]) -> None:
    if set(parameters) != wanted:
        names = ", ".join(sorted(wanted))
        raise NotValid(f"The parameters of `{program}` are not complete: it takes {names}.")


def _check_lists(parameters: Parameters, contributors: int, parties: int) -> None:
    rule.check_contributors(contributors, parties)
    if int(parameters["lists"]) != contributors:
        raise NotValid(f"The study names {parameters['lists']} lists, and {contributors} contribute.")


def length(parameters: Parameters, place: int) -> int:
    """How many words the owner of the list at `place` deals."""
    return OverlapShape.of(parameters).length(place)


def encode(columns: Columns, parameters: Parameters, place: int) -> Words:
    """The words of the owner's tables as they are: they are made where names are known (`tables.bins`)."""
    if len(columns) != 1 or len(columns[0]) != length(parameters, place):
        raise NotValid(f"The list at place {place} is dealt as {length(parameters, place)} words.")
    return np.asarray(columns[0], np.uint64)


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """What was opened, as the same constant at every party."""
    result = await estimating.run(session.runtime, [rows.rows for rows in inputs], parameters)
    opened = result.opened
    told: dict[str, list[int]] = {"estimable": [int(opened["estimable"])]}
    if opened["estimable"]:
        told["observed"] = [_number(opened.get("observed"))]
        told["hidden"] = [_number(model["hidden"]) for model in opened["models"]]
        told["standard_error"] = [_number(model["standard_error"]) for model in opened["models"]]
    return _constants(session, result, told)


async def run_synthetic(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The exact cells, as the same constants at every party."""
    result = await program_synthetic.run(session.runtime, [rows.rows for rows in inputs], parameters)
    return _constants(session, result, {"cells": result.opened["cells"]})


def _constants(session: Session, result: Result, told: Mapping[str, Sequence[int]]) -> Shares:
    """Public numbers as shares of constant polynomials; what was opened for them goes into the statistics."""
    session.runtime.opened_values += result.traffic.opened
    return dict(told)


def _number(value: int | None) -> int:
    return NO_VALUE if value is None else value


def table(opened: Mapping[str, Sequence[int]], _: Parameters) -> Table:
    """Whether the table was large enough, and then the figures; for each model the interval of the whole
    population (P16), where its standard error was asked for.
    """
    if not opened["estimable"][0]:
        return {"estimable": False}
    observed = _value(opened["observed"][0])
    made = [
        Estimate(_value(hidden), _value(error))
        for hidden, error in zip(opened["hidden"], opened["standard_error"], strict=True)
    ]
    return {
        "estimable": True,
        "observed": observed,
        "models": [
            {
                "hidden": each.hidden,
                "standardError": each.standard_error,
                "interval": None if observed is None else _interval(observed, each),
            }
            for each in made
        ],
    }


def _interval(observed: int, made: Estimate) -> list[int] | None:
    low, high = interval(observed, made)
    return None if low is None or high is None else [low, high]


def table_synthetic(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """The exact cells in the order of `shape.patterns`, each with the places of its lists."""
    order = patterns(int(parameters["lists"]))
    return {"overlap": [[list(p), n] for p, n in zip(order, opened["cells"], strict=True)]}


def _value(number: int) -> int | None:
    return None if number == NO_VALUE else number


def seconds(parameters: Parameters) -> float:
    """How long a run may take: five lists of 100,000 persons send half a gigabyte between three parties."""
    return RUN_SECONDS + int(parameters["bound"]) / PERSONS_A_SECOND


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    return (
        f"Counts who is on which of {parameters['lists']} lists without naming anybody, keeps the table in "
        f"shares, and estimates from it how many are on none, by {len(parameters['models'])} models that were "
        "registered with the study. No overlap is opened to anyone; of fewer than 200 persons, or 11 on two or "
        "more lists, nothing is estimated."
    )


def describe_synthetic(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    return f"Opens the whole overlap table of {parameters['lists']} synthetic lists: a test, never for data."


OVERLAP_ESTIMATE = Program(
    name="overlap-estimate",
    version="1",
    sources=(
        *OVERLAP_SOURCES,
        *(estimating.__name__, closed_form.__name__, decomposable.__name__, fitting.__name__),
        *(grid.__name__, models.__name__, plain.__name__),
    ),
    check=check,
    ring=lambda _: Ring.XOR,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
    seconds=seconds,
)

OVERLAP_OPEN_SYNTHETIC = Program(
    name="overlap-open-synthetic",
    version="1",
    sources=(*OVERLAP_SOURCES, program_synthetic.__name__),
    check=check_synthetic,
    ring=lambda _: Ring.XOR,
    length=length,
    encode=encode,
    run=run_synthetic,
    table=table_synthetic,
    describe=describe_synthetic,
    seconds=seconds,
)
