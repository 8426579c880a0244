"""What a trial came to, for the author: it is about synthetic rows only, so nothing has to be held back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from fairnode.disclosure.rules import RuleSet
from fairnode.records.result import CellReason, PublicTable, Status

MOST_LINES = 20


@dataclass(frozen=True)
class Use:
    """What the container used of what its manifest asked for: seconds on the clock, bytes of output.

    Processor seconds and the most memory at once (MiB) are what was last seen while it ran, so at least that
    much; None where it ended before anybody could look.
    """

    exit_code: int | None
    seconds: float | None
    seconds_allowed: int
    memory_mib_allowed: int
    out_of_memory: bool
    output_bytes: int
    output_bytes_allowed: int
    cpu_seconds: float | None = None
    peak_mib: float | None = None


@dataclass(frozen=True)
class HiddenCell:
    """A cell that would be hidden, by which rule, and the rule in plain words."""

    table: str
    key: tuple[str, ...]
    rule: str
    why: str


@dataclass(frozen=True)
class Trial:
    """The report of one trial.

    `refusal` names the reason why nothing would leave ("" when the gate would let it pass), `sentence` says
    it in words, `check` is the IRI of the check that it is (if one of disclosure), `findings` say where.
    `shown` counts the cells that would be shown, `rows` those of the twin.
    `log` is the end of what the program printed. `calls` are system calls that it tried and was denied, as far
    as `calls_known` says ("" if nobody looked). `counted` are the node's own counts of the synthetic rows.
    """

    algorithm: str
    identity: str
    dataset: str
    rows: int
    use: Use
    refusal: str = ""
    sentence: str = ""
    check: str = ""
    findings: tuple[str, ...] = ()
    shown: int = 0
    hidden: tuple[HiddenCell, ...] = ()
    notes: tuple[str, ...] = ()
    log: str = ""
    tables: dict[str, Any] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    calls_known: str = ""
    counted: tuple[tuple[int, ...], ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the gate would let the result leave."""
        return not self.refusal


def explain(reasons: tuple[CellReason, ...], rules: RuleSet) -> tuple[HiddenCell, ...]:
    """Every hidden cell with its rule in plain words."""
    return tuple(HiddenCell(r.table, r.key, r.rule, rules.explain(r.rule)) for r in reasons)


def shown_cells(tables: tuple[PublicTable, ...]) -> int:
    """How many cells are shown."""
    return sum(cell.status is Status.SHOWN for table in tables for cell in table.cells)


def to_json(trial: Trial) -> dict[str, Any]:
    """The report for machines."""
    return {"passes": trial.passes, **asdict(trial)}


def words(trial: Trial) -> str:
    """The report for people; of long lists only the first lines."""
    return "\n".join(_lines(trial))


def _lines(trial: Trial) -> Iterator[str]:
    use = trial.use
    yield f"{trial.algorithm} on {trial.rows} synthetic rows of {trial.dataset}"
    took = "did not end" if use.seconds is None else f"took {use.seconds:.1f} s"
    yield (
        f"The container {took} (of {use.seconds_allowed} s), exit code {use.exit_code}, "
        f"{use.output_bytes} bytes of output (of {use.output_bytes_allowed})."
    )
    yield _used(use)
    if trial.calls_known:
        told = ", ".join(trial.calls) or "none"
        yield f"System calls that it tried and was denied: {told} ({trial.calls_known})."
    if trial.refusal:
        yield f"Nothing would leave: {trial.sentence} [{trial.refusal}]"
        yield from _first(trial.findings)
    else:
        yield f"The gate would let it pass: {trial.shown} cells shown, {len(trial.hidden)} hidden."
        yield from _first([f"{h.table} {', '.join(h.key)}: {h.why} [{h.rule}]" for h in trial.hidden])
    yield from trial.notes
    if trial.log:
        yield "What the program printed last:"
        yield from (f"  | {line}" for line in trial.log.splitlines()[-MOST_LINES:])


def _used(use: Use) -> str:
    """Processor time and memory in a sentence."""
    if use.cpu_seconds is None or use.peak_mib is None:
        return "It ended before its processor time and memory could be read."
    return (
        f"It used at least {use.cpu_seconds:.1f} s of processor time and {use.peak_mib:.0f} MiB of memory at once "
        f"(of {use.memory_mib_allowed} MiB)."
    )


def _first(lines: list[str] | tuple[str, ...]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  ... and {len(lines) - MOST_LINES} more; --json lists all."
