"""From a table to the whole answer: every method asked for, or reasons why not."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import cautions, refusals
from .errors import Refusal
from .methods import COMPANIONS, METHODS, Work, default_methods, run
from .result import Estimate, Value, estimate_json
from .settings import Settings
from .table import Table
from .words import GENERAL_ASSUMPTIONS, GENERAL_EVIDENCE

FORMAT = "fairnode.mse/1"
FEWEST_METHODS = 3


@dataclass(frozen=True, eq=False)
class Analysis:
    """Estimates asked for, `companions` that keep a single one from standing alone, and refusals."""

    table: Table
    settings: Settings
    methods: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    companions: tuple[Estimate, ...]
    refusals: tuple[Refusal, ...]


def analyse(table: Table, settings: Settings) -> Analysis:
    """Run the methods. Nothing is estimated when a refusal of the whole table stands."""
    fixed = tuple(f"fixed#{k + 1}" for k in range(len(settings.models)))
    named = settings.methods or (() if fixed else default_methods(len(table.lists)))
    methods = tuple(dict.fromkeys((*named, *fixed)))
    whole = refusals(table)
    if whole:
        return Analysis(table, settings, methods, (), (), tuple(whole))
    work = Work(table, settings)
    found, refused = _run_all(methods, work)
    beside: list[Estimate] = []
    for name in COMPANIONS:
        if len(found) + len(beside) < FEWEST_METHODS and name not in methods and name in METHODS:
            more, _ = _run_all((name,), work)
            beside += more
    if len(found) + len(beside) < FEWEST_METHODS:
        refused.append(
            Refusal(
                "too-few-methods",
                "Fewer than three methods can say anything about this table; a "
                "number without others beside it is not given.",
            )
        )
        found, beside = [], []
    return Analysis(table, settings, methods, tuple(found), tuple(beside), tuple(refused))


def _run_all(methods: tuple[str, ...], work: Work) -> tuple[list[Estimate], list[Refusal]]:
    answers = [run(name, work) for name in methods]
    return ([a for a in answers if isinstance(a, Estimate)], [a for a in answers if isinstance(a, Refusal)])


def to_json(analysis: Analysis) -> dict[str, Value]:
    """The answer in the documented format (output.schema.json)."""
    settings = analysis.settings
    return {
        "type": FORMAT,
        "input": _input(analysis.table),
        "settings": {
            "methods": list(analysis.methods),
            "seed": settings.seed,
            "boot": settings.boot,
            "models": list(settings.models),
            "maxOrder": settings.max_order,
            "modelsInBootstrap": settings.top,
            "threshold": settings.threshold,
        },
        "refusals": [_refusal(r) for r in analysis.refusals],
        "cautions": [_refusal(r) for r in cautions(analysis.table)] if analysis.estimates else [],
        "estimates": [estimate_json(e) for e in analysis.estimates],
        "companions": [estimate_json(e) for e in analysis.companions],
        "assumptions": list(GENERAL_ASSUMPTIONS),
        "evidence": list(GENERAL_EVIDENCE),
    }


def _refusal(refusal: Refusal) -> dict[str, Value]:
    return {"code": refusal.code, "sentence": refusal.sentence, "method": refusal.method}


def _input(table: Table) -> dict[str, Value]:
    wide = 2 ** len(table.lists) != len(table.counts)  # refused for its width: only the total is known
    by_lists = () if wide else table.by_lists
    return {
        "lists": [
            {"name": name, "persons": None if wide else size}
            for name, size in zip(table.lists, table.lists if wide else table.list_sizes, strict=True)
        ],
        "persons": table.persons,
        "personsByNumberOfLists": list(by_lists),
        "personsOnSeveralLists": sum(by_lists[1:]),
        "overlaps": []
        if wide
        else [{"lists": list(pair), "persons": v} for pair, v in table.overlaps.items()],
    }
