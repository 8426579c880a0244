"""Results of class B, which the node cannot recompute: read as strictly as others, then few digits, few bits.

That is mitigation and no protection: what is left still needs two reviews (`fairnode.gate.reviewing`). The
node counts who is in each cell itself; a cell with too few is hidden whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fairnode import vocabulary
from fairnode.disclosure.history import History
from fairnode.disclosure.judge import hidden_for_themselves, universe_too_alike
from fairnode.disclosure.models import Model, limited, model_allowed
from fairnode.disclosure.rules import RuleSet
from fairnode.gate import strict_json
from fairnode.gate.contract import check_contract, read_result
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import (
    CellReason,
    Key,
    Kind,
    Outcome,
    OutputContract,
    PublicCell,
    PublicTable,
    Recount,
    RecountedCell,
    Result,
    Status,
    TableSpec,
    Verdict,
)

# Thirty-one powers of ten: what the rules' bound on bits has room for. The exponent of a float could carry
# ten bits otherwise.
_SMALLEST, _TOO_LARGE = 1e-15, 1e16


def counting(contract: OutputContract) -> OutputContract:
    """The same tables as counts: what the node can say itself about the cells of a class B result.

    Of dimensions that are the algorithm's own it can say nothing; all their cells are about everybody.
    """
    known = vocabulary.variables()
    return OutputContract(
        tuple(
            replace(
                table,
                kind=Kind.COUNT,
                dimensions=tuple(axis for axis in table.dimensions if axis.variable in known),
            )
            for table in contract.tables
        )
    )


def limit_result(
    raw: bytes, contract: OutputContract, counts: Recount, rules: RuleSet, history: History | None = None
) -> Verdict:
    """What reviewers may be shown of a result: complete tables, values at few digits, small cells hidden.

    `counts` is the node's recount of `counting(contract)`, `history` what left of the lineage before (None:
    nothing) and how the counted persons differ from it. Raises `Refused` for another form, tables of
    both classes, more numbers or bits than the rules allow or than a model for so few persons has, and too few
    persons.
    """
    check_contract(contract, rules)
    if any(table.kind is not Kind.OTHER for table in contract.tables):
        raise Refused(Refusal.CONTRACT, "tables of both classes")
    result = read_result(strict_json.read(raw), contract)
    if counts.universe < rules.count("universe.persons"):
        raise Refused(Refusal.UNIVERSE)
    before = history or History()
    if universe_too_alike(counts, before, rules):
        raise Refused(Refusal.DIFFERENCING)
    values = _limited(result, rules)
    hidden = _hidden(contract, counts, rules, before)
    tables = tuple(_public(spec, values, hidden) for spec in contract.tables)
    reasons = tuple(CellReason(table, key, rule) for (table, key), rule in sorted(hidden.items()))
    return Verdict(Outcome.RELEASED, rules.hash, tables, reasons)


def _hidden(
    contract: OutputContract, counts: Recount, rules: RuleSet, before: History
) -> dict[tuple[str, Key], str]:
    """The numbers about too few persons, each with its rule; too many of them about everybody refuse all.

    Whatever the numbers are, they could be the parameters of a model for the persons whom they are about: so many
    persons have to be in the cell of the dimensions that the node knows.
    """
    small = hidden_for_themselves(counts, rules, before)
    hidden: dict[tuple[str, Key], str] = {}
    for spec, counted in zip(contract.tables, counts.tables, strict=True):
        known = [axis.variable for axis in counted.spec.dimensions]
        at = [place for place, axis in enumerate(spec.dimensions) if axis.variable in known]
        numbers = len(list(spec.keys())) // max(1, len(counted.cells))
        large = {c.key for c in counted.cells if not model_allowed(Model(_persons(c, rules), numbers), rules)}
        if not at and large and (spec.id, ()) not in small:
            raise Refused(Refusal.MODEL, spec.id)
        for key in spec.keys():  # noqa: SIM118 - a method of the specification, no dict
            about = tuple(key[place] for place in at)
            if rule := small.get((spec.id, about), "model" if about in large else None):
                hidden[spec.id, key] = rule
    return hidden


def _persons(cell: RecountedCell, rules: RuleSet) -> int:
    """How many persons a cell is about at least; without a key rows stand for them at a discount (P4)."""
    if cell.persons is None:
        return cell.rows // rules.count("threshold.rows_per_person")
    return min(cell.rows, cell.persons)


def small_numbers(tables: Sequence[PublicTable], rules: RuleSet) -> list[tuple[str, Key]]:
    """The shown numbers that could be counts of fewer persons than the rules' k: whole ones, zero included.

    The node knows how many persons are in a cell of its own variables, and not what a container counted in it, nor
    anything of a list of the algorithm's own (P7). Whoever lets such a number leave says why.
    """
    return [
        (table.spec.id, cell.key)
        for table in tables
        for cell in table.cells
        if cell.v is not None and 0 <= cell.v < rules.k and cell.v.is_integer()
    ]


def differing(first: bytes, second: bytes, contract: OutputContract, rules: RuleSet) -> int:
    """How many numbers two runs of the same image tell differently, at the digits that may be shown.

    Raises `Refused` when one of them is not a result of this contract.
    """
    one, other = (_limited(read_result(strict_json.read(raw), contract), rules) for raw in (first, second))
    return sum(value != other[where] for where, value in one.items())


def _limited(result: Result, rules: RuleSet) -> dict[tuple[str, Key], float]:
    """Every number of the result, at the digits that the rules allow."""
    cells = [(table.id, cell.key, cell.v or 0.0) for table in result.tables for cell in table.cells]
    values = limited([value for _, _, value in cells], rules)
    if values is None or not all(v == 0 or _SMALLEST <= abs(v) < _TOO_LARGE for v in values):
        raise Refused(Refusal.TOO_MANY_DIGITS)
    return {(table, key): value for (table, key, _), value in zip(cells, values, strict=True)}


def _public(
    spec: TableSpec, values: Mapping[tuple[str, Key], float], hidden: Mapping[tuple[str, Key], str]
) -> PublicTable:
    """One table for everyone; it has no counts, and so no sums of them."""
    cells = tuple(
        PublicCell(key, Status.HIDDEN)
        if (spec.id, key) in hidden
        else PublicCell(key, Status.SHOWN, None, values[spec.id, key])
        for key in spec.keys()  # noqa: SIM118 - a method of the specification, no dict
    )
    return PublicTable(spec, cells, (), 0)
