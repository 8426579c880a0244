"""What of a dataset's variables could be published: counted, judged by the gate's rules, nothing written.

Each variable is a one-way table in which "not recorded" is a code like any other, so that a share of missing
values is judged as any cell is. The size of the dataset, which is published anyway (P8), counts as known.
A variable that was published before is told anew only if, in every cell, nobody came or went, or at least k
did; otherwise its old figures stand, so that no small change can be seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairnode import errors, vocabulary
from fairnode.child import job_folder, run_child
from fairnode.datasets.description import Description, describe
from fairnode.datasets.views import offered, schema
from fairnode.disclosure.budget import Spent, has_budget
from fairnode.disclosure.history import EarlierCell, EarlierRelease, EarlierTable, query_of, remember
from fairnode.disclosure.judge import judge
from fairnode.disclosure.rules import RuleSet
from fairnode.gate.audit_child import child_audit
from fairnode.gate.finer import finer
from fairnode.gate.histories import history_of, release_from_json
from fairnode.gate.order import Asking, check_node_sets
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import person_set, person_set_draft
from fairnode.keys import commitment
from fairnode.node import Node
from fairnode.records.dataset import Column, View, ViewUnit, to_json
from fairnode.records.profile import NOT_RECORDED, Profile, VariableProfile, profile_from_json, round_size
from fairnode.records.profile_rows import KeptProfile
from fairnode.records.result import (
    Dimension,
    Kind,
    Outcome,
    OutputContract,
    PublicTable,
    Recount,
    Status,
    TableSpec,
    Unit,
    Verdict,
)
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Dataset, Earlier
from fairnode.visits.context import VIEW_NAME

SECONDS = 1800.0
_SIZE = "records"


@dataclass(frozen=True)
class HiddenCode:
    """A code of a variable that is not told, and by which rule: for the custodian only."""

    variable: str
    code: str
    rule: str
    why: str


@dataclass(frozen=True)
class Measured:
    """What could be published, and what would be remembered of it.

    `left_out` are variables that are not told at all, with the reason; `stood` those whose old figures stand.
    `memory` is None when nothing new is told.
    """

    id: str
    profile: Profile
    hidden: tuple[HiddenCode, ...]
    left_out: tuple[tuple[str, str], ...]
    stood: tuple[str, ...]
    notes: tuple[str, ...]
    memory: EarlierRelease | None


@dataclass(frozen=True)
class Case:
    """A dataset that is to be measured: what is asked of it, and what is known of it."""

    node: Node
    dataset: Dataset
    description: Description
    specs: tuple[TableSpec, ...]
    earlier: tuple[EarlierRelease, ...]
    rules: RuleSet
    id: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the tables count."""
        return schema(self.description.dataset, View(tuple(spec.id for spec in self.specs)))

    @property
    def keyed(self) -> bool:
        """Whether persons can be recognised from one release to the next."""
        return self.description.dataset.binding("personKey") is not None

    @property
    def asking(self) -> Asking:
        """A profile is asked for by the organisation itself, over this node alone."""
        return Asking(self.node.iri, frozenset({self.node.iri}), datetime.now(UTC).date())


def check_profiles(case: Case) -> None:
    """Refuse (`Refused`) when the organisation has told as much of these data lately as the rules allow."""
    asking = case.asking
    spent = [Spent(told.requester, told.day) for told in case.earlier]
    if not has_budget(asking.requester, asking.day, spent, case.rules):
        raise Refused(Refusal.BUDGET)


def measure(node: Node, dataset: Dataset, variables: Sequence[str] = ()) -> Measured:
    """Count and judge the `variables` (all that have closed codes, if none is named) of a dataset.

    Raises `NotValid` when the dataset cannot be counted or is too small, `Refused` when the budget is used up.
    """
    case = read_case(node, dataset, variables)
    check_profiles(case)
    wanted, left_out = split_barred(case)
    if not wanted:
        raise errors.NotValid(
            "None of these variables may be told of.",
            findings=tuple(errors.Finding(name, why) for name, why in left_out),
        )
    old = _told_before(case)
    with job_folder(node.config.spool, "profile") as folder:
        make_view(case, folder / "companion.parquet")
        counted = count_in(case, folder, wanted)
        stood = tuple(
            s for s in wanted if s.id in old and not _may_be_told_anew(case, s.id, old, counted, wanted)
        )
        fresh = tuple(spec for spec in wanted if spec not in stood)
        if stood and fresh:
            counted = count_in(case, folder, fresh)
    verdict, recount = _judged(case, fresh, counted) if fresh else (None, None)
    if verdict is not None and verdict.outcome is Outcome.REFUSED:
        raise errors.NotValid(
            "The dataset cannot have a profile.",
            findings=tuple(errors.Finding(rule, case.rules.explain(rule)) for rule in verdict.refusals),
        )
    return _measured(case, _Found(verdict, recount, fresh, stood, left_out, old))


@dataclass(frozen=True)
class _Old:
    """What was told of a variable before, in which release, of how many units."""

    told: VariableProfile
    release: str
    profile: Profile


@dataclass(frozen=True)
class _Found:
    """All that a measurement came to."""

    verdict: Verdict | None
    recount: Recount | None
    fresh: tuple[TableSpec, ...]
    stood: tuple[TableSpec, ...]
    left_out: tuple[tuple[str, str], ...]
    old: Mapping[str, _Old]


def read_case(node: Node, dataset: Dataset, variables: Sequence[str]) -> Case:
    """What is asked and known. Raises `NotValid` for variables that cannot be profiled."""
    if not dataset.source:
        raise errors.NotValid("This dataset is published for its metadata alone; there is nothing to count.")
    description = describe(dataset.record, dataset.iri)
    with node.store.read() as reader:
        rows = reader.find(Earlier, {"lineage": dataset.lineage}, order="created")
    rules = node.rules
    return Case(
        node=node,
        dataset=dataset,
        description=description,
        specs=_specs(description, variables, rules),
        earlier=tuple(release_from_json(row.facts) for row in rows),
        rules=rules,
        id=f"profile-{secrets.token_hex(8)}",
    )


def _specs(description: Description, variables: Sequence[str], rules: RuleSet) -> tuple[TableSpec, ...]:
    """A one-way table for each variable that has a closed list of codes."""
    dataset = description.dataset
    named = tuple(variables) or offered(dataset)
    unknown = [name for name in named if name not in offered(dataset)]
    if unknown:
        raise errors.NotValid(f"The dataset has no variable {', '.join(unknown)} that a study could ask for.")
    columns = [column for column in schema(dataset, View(named)) if column.codes]
    unit = Unit.PERSON if dataset.knows_persons else Unit.REGISTRATION
    if not columns:
        raise errors.NotValid("None of these variables has a closed list of codes to count.")
    if len(columns) > rules.count("size.tables"):
        raise errors.NotValid(
            f"A profile tells of at most {rules.count('size.tables')} variables; the dataset has {len(columns)}.",
            to_do="Name those that matter: --variable sex --variable year ...",
        )
    return tuple(
        TableSpec(
            id=column.name,
            kind=Kind.COUNT,
            unit=unit,
            input=VIEW_NAME,
            dimensions=(
                Dimension(
                    column.name,
                    (*column.codes, NOT_RECORDED),
                    vocabulary.variable(column.name).sensitive,
                ),
            ),
        )
        for column in columns
    )


def split_barred(case: Case) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """The tables that may be told, and those whose cells were released over other nodes already (P6)."""
    wanted, left_out = [], []
    for spec in case.specs:
        try:
            check_node_sets(case.asking, OutputContract((spec,)), (), case.earlier, case.rules)
        except Refused:
            left_out.append((spec.id, case.rules.explain("node-sets")))
        else:
            wanted.append(spec)
    return tuple(wanted), tuple(left_out)


def _told_before(case: Case) -> dict[str, _Old]:
    """The latest figures of each variable that were ever told of this lineage over the same codes."""
    with case.node.store.read() as reader:
        kept = reader.find(KeptProfile, {"dataset": case.dataset.iri}, order="created")
    measured = {release.id: release for release in case.earlier}
    specs = {spec.id: spec for spec in case.specs}
    found: dict[str, _Old] = {}
    for row in (row for row in kept if row.lineage == case.dataset.lineage and row.id in measured):
        profile = profile_from_json(row.profile)
        if profile.epsilon:
            continue  # figures with noise never stand for counts
        for table in measured[row.id].tables:
            told = profile.variable(table.spec.id)
            if told is not None and table.spec == specs.get(table.spec.id):
                found[told.variable] = _Old(told, row.id, profile)
    return found


def make_view(case: Case, companion: Path) -> None:
    """The harmonised view over all variables, with persons as unit where the dataset knows them."""
    dataset = case.description.dataset
    unit: ViewUnit = "person" if dataset.knows_persons else "registration"
    view = View(
        tuple(spec.id for spec in case.specs), unit=unit, consent_required=case.description.consent_required
    )
    job = {
        "dataset": to_json(dataset),
        "source": case.dataset.source,
        "view": to_json(view),
        "output": str(companion.with_name("view.parquet")),
        "companion": str(companion),
        "salt": _secret(case),
        "fill": NOT_RECORDED,
    }
    run_child("filled_view", job, spool=case.node.config.spool, seconds=SECONDS)


def _secret(case: Case) -> str:
    """The secret (hex) under which persons of the lineage are hashed, as for its visits."""
    return commitment(case.node.keys.secret, f"persons {case.dataset.lineage}".encode())


def count_in(case: Case, folder: Path, specs: tuple[TableSpec, ...]) -> dict[str, Any]:
    """The node's own count of some tables, and how their persons differ from those of earlier releases."""
    contract = OutputContract(specs)
    query = query_of(contract, ())
    return run_child(
        "recount",
        {
            "views": {VIEW_NAME: str(folder / "companion.parquet")},
            "contract": contract_to_json(contract),
            "filter": [],
            "person": "person" if case.keyed else None,
            "secret": _secret(case),
            "persons_out": str(person_set_draft(case.node, case.id)) if case.keyed else None,
            "below": case.rules.k,
            "earlier": [
                {"release": e.id, "path": str(path), "same_query": e.query == query}
                for e in case.earlier
                if (path := person_set(case.node, case.dataset.lineage, e.id)).exists()
            ],
        },
        spool=case.node.config.spool,
        seconds=SECONDS,
    )


def _may_be_told_anew(
    case: Case, name: str, old: Mapping[str, _Old], counted: Mapping[str, Any], specs: tuple[TableSpec, ...]
) -> bool:
    """Whether no cell of the variable changed by 1 to k - 1 persons since it was told."""
    release = old[name].release
    if not person_set(case.node, case.dataset.lineage, release).exists():
        return False  # nobody can say what changed
    history = history_of(OutputContract(specs), case.earlier, counted, finer())
    changed = [
        d.persons
        for d in history.differences
        if (d.release, d.table, d.earlier_table, d.key) == (release, name, name, d.earlier_key)
    ]
    changed += [e.persons for e in history.entered if (e.release, e.table) == (release, name)]
    return all(persons >= case.rules.k for persons in changed)


def _judged(case: Case, fresh: tuple[TableSpec, ...], counted: Mapping[str, Any]) -> tuple[Verdict, Recount]:
    """The gate's verdict, for somebody who knows the size of the dataset."""
    recount = recount_from_json(counted["recount"])
    history = history_of(OutputContract(fresh), case.earlier, counted, finer())
    spec = TableSpec(_SIZE, Kind.COUNT, fresh[0].unit, VIEW_NAME, ())
    size = EarlierRelease(
        id=_SIZE,
        requester=case.node.iri,
        nodes=frozenset({case.node.iri}),
        day=case.asking.day,
        query="",
        tables=(EarlierTable(spec, (EarlierCell((), recount.universe, True),)),),
    )
    known = replace(history, releases=(*history.releases, size))
    return judge(recount, case.rules, known, child_audit(case.node.config.spool)), recount


def _measured(case: Case, found: _Found) -> Measured:
    """What the custodian sees, and what would be kept."""
    verdict, recount = found.verdict, found.recount
    told = {spec.id: found.old[spec.id].told for spec in found.stood}
    hidden: tuple[HiddenCode, ...] = ()
    latest = max(found.old.values(), key=lambda old: old.profile.day, default=None)
    memory, size, day = None, 0, case.asking.day.isoformat()
    if latest is not None:
        # the size that was told stands as long as any figure does
        size, day = latest.profile.records, latest.profile.day
    if verdict is not None and recount is not None and verdict.outcome is Outcome.RELEASED:
        told |= {table.spec.id: variable_of(table) for table in verdict.tables}
        hidden = tuple(
            HiddenCode(reason.table, reason.key[0], reason.rule, case.rules.explain(reason.rule))
            for reason in verdict.reasons
        )
        size = size if found.stood else round_size(recount.universe)
        asking, day = case.asking, case.asking.day.isoformat()
        memory = remember(
            recount, verdict, release=case.id, requester=asking.requester, nodes=asking.nodes, day=asking.day
        )
    elif verdict is not None:
        told |= {name: old.told for name, old in found.old.items() if name in {s.id for s in found.fresh}}
    profile = Profile(
        counted=case.specs[0].unit.value if case.specs else "registration",
        records=size,
        day=day,
        rules=case.rules.hash,
        variables=tuple(told[spec.id] for spec in case.specs if spec.id in told),
    )
    stood = tuple(spec.id for spec in found.stood)
    silent = tuple(
        (spec.id, "It was told before, and too little changed to tell it anew.")
        for spec in found.fresh
        if spec.id not in told
    )
    return Measured(
        case.id, profile, hidden, (*found.left_out, *silent), stood, verdict.notes if verdict else (), memory
    )


def variable_of(table: PublicTable) -> VariableProfile:
    """What a gated one-way table tells of its variable."""
    cells = {
        cell.key[0]: cell.n for cell in table.cells if cell.status is Status.SHOWN and cell.n is not None
    }
    missing = cells.pop(NOT_RECORDED, None)
    return VariableProfile(table.spec.id, tuple(cells.items()), missing)


def forget_draft(measured: Measured, node: Node) -> None:
    """Take away what was kept of a measurement that nobody publishes."""
    person_set_draft(node, measured.id).unlink(missing_ok=True)
