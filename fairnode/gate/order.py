"""The checks of the gate in their order. Pure: the caller brings the facts, the file's bytes and the recount.

1. the run went as approved  2. the file is strict JSON  3. it is exactly the agreed tables
4. its numbers are the node's own  5. sets of nodes  6. the disclosure rules
Each refuses with a reason of `fairnode.gate.refusals`; what passes all is released from the node's own
numbers, never from the container's bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fairnode.disclosure.audit import Audit
from fairnode.disclosure.history import EarlierRelease, History, narrows, query_of
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import RuleSet
from fairnode.gate import strict_json
from fairnode.gate.compare import check_equal
from fairnode.gate.contract import check_contract, read_result
from fairnode.gate.finer import finer
from fairnode.gate.refusals import Refusal, Refused
from fairnode.records.result import Condition, Outcome, OutputContract, Recount, TableSpec, Verdict


@dataclass(frozen=True)
class Asking:
    """Who gets the release, over which nodes, on which day."""

    requester: str
    nodes: frozenset[str]
    day: date


def check_claim(raw: bytes, contract: OutputContract, recount: Recount, rules: RuleSet) -> None:
    """Refuse what is not strictly the agreed tables with the node's own numbers (`Refused`)."""
    check_contract(contract, rules)
    check_equal(read_result(strict_json.read(raw), contract), recount)


def check_node_sets(
    asking: Asking,
    contract: OutputContract,
    conditions: tuple[Condition, ...],
    releases: Iterable[EarlierRelease],
    rules: RuleSet,
) -> None:
    """Refuse (`Refused`) the same or nested cells over another, too similar set of nodes (P6).

    A local release is one over a single node: the same cells are released locally or combined, not both.
    """
    for release in releases:
        differ = len(release.nodes ^ asking.nodes)
        if differ == 0 or not (release.nodes & asking.nodes):
            continue
        one_alone = release.local or len(asking.nodes) == 1
        if (one_alone or differ < rules.count("node-sets.nodes")) and touches(contract, conditions, release):
            raise Refused(Refusal.NODE_SETS)


def pass_gate(
    raw: bytes, contract: OutputContract, recount: Recount, rules: RuleSet, history: History, audit: Audit
) -> Verdict:
    """The verdict on what a container claims: checked, then judged from the node's own numbers.

    Call `check_node_sets` before or after; a `Refused` of either is a refusal of the whole result.
    """
    check_claim(raw, contract, recount, rules)
    verdict = judge(recount.judged, rules, history, audit)
    if verdict.outcome is Outcome.REFUSED:
        raise Refused(Refusal(verdict.refusals[0]))
    return verdict


def touches(contract: OutputContract, conditions: tuple[Condition, ...], release: EarlierRelease) -> bool:
    """Whether cells of an earlier release are the same as, or part of, cells asked for now, or contain them.

    Judged by variables: two tables may nest where one is about all that the other is about.
    """
    if release.query == query_of(contract, conditions):
        return True
    if not (narrows(conditions, release.filter) or narrows(release.filter, conditions)):
        return False
    mine = [_classes(table).keys() for table in contract.tables]
    theirs = [_classes(table.spec).keys() for table in release.tables]
    return any(a <= b or b <= a for a in mine for b in theirs)


def is_margin(contract: OutputContract, release: EarlierRelease) -> bool:
    """Whether cells of one of the two are sums of several cells of the other, by their variables and codes.

    With such a sum beside the cells below it, a single hidden one among them is known but for rounding (P5).
    """
    pairs = [(_classes(a), _classes(b.spec)) for a in contract.tables for b in release.tables]
    return any(_is_margin(mine, theirs) for mine, theirs in pairs)


Classes = dict[str, set[frozenset[str]]]
"""For each finest variable that a table is about, the classes of its codes that the cells are of."""


def _is_margin(mine: Classes, theirs: Classes) -> bool:
    if mine.keys() != theirs.keys():
        return mine.keys() <= theirs.keys() or theirs.keys() <= mine.keys()
    return any(a != b and a & b for name in mine for a in mine[name] for b in theirs[name])


def _classes(spec: TableSpec) -> Classes:
    classes: Classes = {}
    for axis in spec.dimensions:
        for code in axis.codes:
            name, codes = finer().get((axis.variable, code), (axis.variable, frozenset({code})))
            classes.setdefault(name, set()).add(codes)
    return classes
