"""Writes docs/gate.md from the rules, the reasons and the specification under tests/spec/gate.

    python docs/make_gate.py            writes it
    python docs/make_gate.py --check    fails if what is there is not that

Each file of the specification is a story of one or more releases of the same data: tables before the gate,
after it, and why. `tests/spec/test_gate.py` runs every one of them.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fairnode.disclosure.history import Difference, EarlierRelease, History, UniverseDifference, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import RuleSet, load_rules
from fairnode.gate.refusals import Refusal
from fairnode.jobs.lp_audit import audit
from fairnode.records.result import (
    Condition,
    Dimension,
    Key,
    Kind,
    Outcome,
    PublicCell,
    Recount,
    RecountedCell,
    RecountedTable,
    Status,
    TableSpec,
    Unit,
    Verdict,
)

ROOT = Path(__file__).parent.parent
SPECIFICATION = ROOT / "tests" / "spec" / "gate"
PAGE = ROOT / "docs" / "gate.md"


@dataclass(frozen=True)
class Step:
    """One release of a story: what the node counted, and what the specification says becomes of it."""

    recount: Recount
    history: History
    outcome: str
    after: Mapping[str, Mapping[Key, str]]
    why: Mapping[tuple[str, Key], str]


@dataclass(frozen=True)
class Story:
    """One file of the specification."""

    name: str
    title: str
    text: str
    steps: tuple[dict[str, Any], ...]


def stories() -> list[Story]:
    """Every story, in the order of the file names."""
    return [read_story(path) for path in sorted(SPECIFICATION.glob("*.toml"))]


def read_story(path: Path) -> Story:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return Story(path.stem, told["title"], told["text"], tuple(told["release"]))


def run_story(story: Story, rules: RuleSet) -> Iterator[tuple[Step, Verdict]]:
    """Each step with the verdict that the gate gives, every release remembered for the next."""
    releases: list[EarlierRelease] = []
    for number, told in enumerate(story.steps, start=1):
        step = read_step(told, tuple(releases))
        verdict = judge(step.recount, rules, step.history, audit)
        yield step, verdict
        if verdict.outcome is Outcome.RELEASED:
            day = date(2026, 1, 1) + timedelta(days=number)
            releases.append(
                remember(
                    step.recount, verdict, release=str(number), requester="r", nodes=frozenset("n"), day=day
                )
            )


def read_step(told: Mapping[str, Any], releases: tuple[EarlierRelease, ...]) -> Step:
    """One release of the specification as the gate's input."""
    conditions = tuple(Condition(c["variable"], frozenset(c["in"])) for c in told.get("filter", ()))
    tables, after, why = [], {}, {}
    for number, entry in enumerate(told["table"]):
        table, wanted = read_table(entry, f"table-{number + 1}")
        tables.append(table)
        after[table.spec.id] = wanted
        why |= {(table.spec.id, tuple(key.split())): rule for key, rule in entry.get("why", {}).items()}
    differences = tuple(
        Difference("table-1", tuple(now.split()), str(release), "table-1", tuple(then.split()), persons)
        for now, release, then, persons in told.get("differences", ())
    )
    universes = (UniverseDifference(releases[-1].id, 0, told["left"]),) if "left" in told else ()
    recount = Recount(tuple(tables), told.get("persons", 1000), conditions)
    history = History(releases, differences, (), universes)
    return Step(recount, history, told.get("outcome", "released"), after, why)


def read_table(entry: Mapping[str, Any], name: str) -> tuple[RecountedTable, dict[Key, str]]:
    """A table before the gate, and what each cell is to become."""
    before = read_cells(entry["before"], len(entry["variables"]))
    axes = tuple(
        Dimension(
            variable,
            tuple(dict.fromkeys(key[position] for key in before)),
            variable in entry.get("sensitive", ()),
        )
        for position, variable in enumerate(entry["variables"])
    )
    numerator = entry.get("numerator")
    spec = TableSpec(
        entry.get("id", name),
        Kind(entry.get("kind", "count")),
        Unit(entry.get("unit", "person")),
        "records",
        axes,
        entry.get("measure"),
        Condition(numerator["variable"], frozenset(numerator["in"])) if numerator else None,
    )
    cells = tuple(read_cell(key, drawn_cell) for key, drawn_cell in before.items())
    return RecountedTable(spec, cells), read_cells(entry.get("after", ""), len(axes))


def read_cells(drawn: str, dimensions: int) -> dict[Key, str]:
    """The cells of a drawn table: a line per code, or a head of codes and a line per code before it."""
    lines = [line.split() for line in drawn.splitlines() if line.strip()]
    if dimensions == 1:
        return {(code,): cell for code, cell in lines}
    head, *body = lines or [[]]
    return {(row, column): cell for row, *cells in body for column, cell in zip(head, cells, strict=True)}


def read_cell(key: Key, drawn: str) -> RecountedCell:
    """`n`, `rows/persons` (? if unknown), `n~numerator` or `n=value!largest,second;magnitude`."""
    if "~" in drawn:
        n, part = (int(number) for number in drawn.split("~"))
        rest = n - part
        return RecountedCell(key, n, n, n, part / n, float(n), 1.0, 1.0, (part, part), (rest, rest))
    if "=" in drawn:
        count, _, more = drawn.partition("=")
        value, _, more = more.partition("!")
        tops, _, magnitude = more.partition(";")
        top1, top2 = (float(top) for top in tops.split(","))
        n = int(count)
        return RecountedCell(key, n, n, n, float(value), float(magnitude or value), top1, top2)
    rows, _, persons = drawn.partition("/")
    n = int(rows)
    known = None if persons == "?" else int(persons or rows)
    return RecountedCell(key, n, n, known, None, float(n), min(n, 1.0), 1.0 if n > 1 else 0.0)


def said(cell: PublicCell) -> str:
    """A cell as the specification writes it."""
    if cell.status is Status.HIDDEN:
        return "hidden"
    return str(cell.n) if cell.v is None else f"{cell.n}={cell.v}"


def page(rules: RuleSet) -> str:
    """The whole page."""
    parts = [(ROOT / "docs" / "gate_intro.md").read_text(encoding="utf-8").strip()]
    parts += ["## The rules", f"Rule set `{rules.name}` {rules.version}, SHA-256 `{rules.hash}`."]
    parts.append(
        table(
            ["rule", "what it says", "check"],
            [
                [
                    f"**{r.title['en']}** (`{r.id}`)",
                    rules.explain(r.id),
                    f"[{r.iri.rsplit('#')[-1]}]({r.iri})",
                ]
                for r in rules.rules
            ],
        )
    )
    parts += ["## Why a whole result is refused", "The requester reads *not released*; the custodian reads:"]
    reasons = [[f"`{r.value}`", r.sentence, cited(r.check)] for r in Refusal]
    parts.append(table(["reason", "sentence", "check"], reasons))
    parts += [
        "## Examples",
        "Each is a test (`tests/spec/gate`). Rules behind hidden cells are told here only.",
    ]
    for story in stories():
        parts += [f"### {story.title}", story.text]
        for number, (step, verdict) in enumerate(run_story(story, rules), start=1):
            parts += list(describe(step, verdict, number if len(story.steps) > 1 else None))
    return "\n\n".join(parts) + "\n"


def cited(iri: str) -> str:
    """A link to the check of the StatBarns ontology; nothing where there is none."""
    return f"[{iri.partition('#')[2]}]({iri})" if iri else ""


def describe(step: Step, verdict: Verdict, number: int | None) -> Iterator[str]:
    """One release of a story."""
    if number is not None:
        yield f"**Study {number}**" + (f" ({_filter(step.recount)})" if step.recount.filter else "")
    rules = {(reason.table, reason.key): reason.rule for reason in verdict.reasons}
    public = {t.spec.id: {cell.key: said(cell) for cell in t.cells} for t in verdict.tables}
    for counted in step.recount.tables:
        cells = {}
        for cell in counted.cells:
            after = public.get(counted.spec.id, {}).get(cell.key)
            rule = rules.get((counted.spec.id, cell.key))
            became = "" if after is None else f" → *hidden* `{rule}`" if rule else f" → **{_bold(after)}**"
            cells[cell.key] = drawn(cell, counted.spec) + became
        yield draw(counted.spec, cells)
    if verdict.outcome is Outcome.STORED:
        yield "The stored answer is given."
    if verdict.outcome is Outcome.REFUSED:
        yield f"Refused: {Refusal(verdict.refusals[0]).sentence}"


def drawn(cell: RecountedCell, spec: TableSpec) -> str:
    """A true count for the reader."""
    if spec.kind is Kind.PROPORTION:
        return f"{cell.numerator[0]} of {cell.n}"
    if spec.kind is not Kind.COUNT:
        return f"{cell.v:g} over {cell.n} ({cell.top1:g}, {cell.top2:g} of {cell.magnitude:g})"
    persons = "?" if cell.persons is None else str(cell.persons)
    return str(cell.n) if cell.persons == cell.n else f"{cell.n} rows, {persons} persons"


def draw(spec: TableSpec, cells: Mapping[Key, str]) -> str:
    """A table with one or two dimensions in Markdown."""
    first, *more = spec.dimensions
    if not more:
        return table([first.variable, spec.kind.value], [[code, cells[code,]] for code in first.codes])
    head = [f"{first.variable} / {more[0].variable}", *more[0].codes]
    return table(head, [[row, *(cells[row, column] for column in more[0].codes)] for row in first.codes])


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bold(after: str) -> str:
    n, _, v = after.partition("=")
    return f"{v} over {n}" if v else n


def _filter(recount: Recount) -> str:
    return ", ".join(f"{c.variable} in {', '.join(sorted(c.codes))}" for c in recount.filter)


def main(arguments: list[str]) -> int:
    made = page(load_rules())
    if "--check" in arguments:
        return 0 if PAGE.read_text(encoding="utf-8") == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
