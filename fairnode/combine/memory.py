"""What a node remembers of what it dealt to combined studies: cells, set of nodes, who stood where (P6).

Who stood in which cell is kept as keyed hashes in the node's own folder (`fairnode.jobs.person_sets`), one file
for each dealing; it never leaves. A dealing that can have been opened (this node said that it still stands, when a
compute party asked before opening) is kept; any other is forgotten when it is over.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.disclosure.history import EarlierRelease, EarlierTable, query_of
from fairnode.gate.finer import finer
from fairnode.gate.histories import release_from_json, release_to_json
from fairnode.gate.order import is_margin, touches
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import Case, person_set_draft
from fairnode.keys import canonical, commitment
from fairnode.mpc.programs.suppressed_sum import SUM
from fairnode.node import Node
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Earlier, Visit
from fairnode.records.states import VisitState, ended
from fairnode.store.database import Transaction
from fairnode.studies.regression import NAME as REGRESSION
from fairnode.studies.summary import SUMMARIES

ONE_WAY = frozenset({REGRESSION, *SUMMARIES})
"""Programs that open figures made of sums over cells."""
MOST_EARLIER = 20
"""So many tables of earlier combined studies a new one is compared with; the program takes no more."""
SETTLED_SECONDS = 3600.0
UNOPENED = "Nothing was opened."
"""Why a visit ended whose counts or list were ready, in a combination that had no result."""


def dealt_set(node: Node, lineage: str, dealing: str) -> Path:
    """Where the node keeps who stood in which cell of what it dealt."""
    return node.config.lineages / lineage / "dealt" / f"{dealing}.parquet"


def keep_set(node: Node, visit: Visit, lineage: str, dealing: str) -> None:
    """Keep who stands in which cell of what is about to be dealt."""
    made, target = person_set_draft(node, visit.id), dealt_set(node, lineage, dealing)
    if made.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copyfile(made, part)
        part.replace(target)


def memory_of(case: Case, facts: Mapping[str, Any], dealing: str, counts: list[int]) -> Earlier:
    """What to remember of a contribution: the cells and the set of nodes, no counts."""
    release = EarlierRelease(
        id=dealing,
        requester=case.asking.requester,
        nodes=frozenset(str(c["node"]) for c in facts["contributors"]),
        day=case.asking.day,
        query=query_of(case.contract, case.filter),
        filter=case.filter,
        tables=tuple(EarlierTable(spec, ()) for spec in case.contract.tables),
    )
    told = release_to_json(release) | {
        "study": case.context.plan.hash,
        "program": str(facts["program"]["name"]),
        "counts": counts_mark(case.context.node, counts),
        "opened": False,
        "destroyed": [],
    }
    return Earlier(dealing, case.context.dataset.lineage, told, clock.now())


def check_opened_one_way(case: Case, nodes: frozenset[str], program: str) -> None:
    """Refuse (`Refused`) what would open the same or nested cells in two ways.

    What a regression, mean or quantile opens tells of sums over cells, nearly exactly: beside the cells it
    would bound a hidden one (P5). So the same or nested cells are opened as a table or as one of these, not
    both; and of a table that was opened no margin is, nor a table of which it is one.
    """
    with case.context.node.store.read() as reader:
        rows = reader.find(Earlier, {"lineage": case.context.dataset.lineage})
    opened = [
        (release_from_json(row.facts), row.facts.get("program")) for row in rows if row.facts.get("opened")
    ]
    for release, before in opened:
        if not (release.nodes & nodes and touches(case.contract, case.filter, release)):
            continue
        if ONE_WAY & {program, before}:
            raise Refused(Refusal.DIFFERENCING, "the same cells were opened in another way before")
        if program == before == SUM.name and release.nodes == nodes and is_margin(case.contract, release):
            raise Refused(
                Refusal.DIFFERENCING, "a margin of these cells, or cells below them, was opened before"
            )


def counts_mark(node: Node, counts: list[int]) -> str:
    """A keyed hash of this node's counts, by which it sees whether they are the same as at another time."""
    return commitment(node.keys.secret, canonical({"counts": counts}))


def changed_persons(case: Case, names: list[str], counts: list[int]) -> list[list[int]]:
    """For each earlier table (`dealing/number`), by cell, how many of this node's persons differ from then.

    Of a table that this node has no part in everybody is new. Where persons cannot be told apart, only the same
    counts of the same cells are known to be unchanged; raises `Refused` for anything else.
    """
    if not names:
        return []
    node, lineage = case.context.node, case.context.dataset.lineage
    with node.store.read() as reader:
        mine = {row.id: row for row in reader.find(Earlier, {"lineage": lineage})}
    now = person_set_draft(node, case.context.visit.id)
    if not now.exists():
        return [_unkeyed(case, mine.get(name.partition("/")[0]), counts) for name in names]
    answer = run_child(
        "changed_persons",
        {
            "now": str(now),
            "contract": contract_to_json(case.contract),
            "finer": [[*code, base, sorted(codes)] for code, (base, codes) in sorted(finer().items())],
            "earlier": [_then(node, lineage, mine, name) for name in names],
        },
        spool=node.config.spool,
        seconds=1800.0,
    )
    return [[int(n) for n in row] for row in answer["changed"]]


def _then(node: Node, lineage: str, mine: Mapping[str, Earlier], name: str) -> dict[str, Any] | None:
    """One earlier table for the job; None where this node has no part in it."""
    dealing, _, number = name.partition("/")
    row = mine.get(dealing)
    if row is None:
        return None
    path = dealt_set(node, lineage, dealing)
    if not path.exists():
        raise Refused(Refusal.DIFFERENCING, "who stood where in an earlier combined study is not known")
    return {"path": str(path), "contract": row.facts["contract"], "table": int(number)}


def _unkeyed(case: Case, row: Earlier | None, counts: list[int]) -> list[int]:
    """Changed persons where nobody can tell them apart."""
    if row is None:
        return counts
    same = (row.facts["query"], row.facts["counts"]) == (
        query_of(case.contract, case.filter),
        counts_mark(case.context.node, counts),
    )
    if not same:
        raise Refused(Refusal.DIFFERENCING, "the dataset has no person key, so changes cannot be counted")
    return [0] * len(counts)


def forget_unopened(tx: Transaction, study: str) -> list[str]:
    """Forget the dealings of a study that nobody can have opened; the visits of which nothing was opened, then.

    These had been ended by the home node: what this node itself blocked or failed is a bit about its data (P2).
    """
    rows = [row for row in tx.find(Earlier) if row.facts.get("study") == study]
    for row in rows:
        if not row.facts["opened"]:
            tx.remove(row)
    if any(row.facts["opened"] for row in rows):
        return []
    return [
        visit.id
        for visit in tx.find(Visit, {"study": study, "state": VisitState.FAILED})
        if visit.internal == UNOPENED
    ]


def note_destroyed(tx: Transaction, dealing: str, party: str, parties: frozenset[str]) -> None:
    """A compute party destroyed a dealing that it had not opened; once all say so, it is forgotten."""
    row = tx.get(Earlier, dealing)
    if row is None or "destroyed" not in row.facts:
        return
    said = sorted({*row.facts["destroyed"], party})
    if parties <= set(said):
        tx.remove(row)
    else:
        tx.change(row, facts={**row.facts, "destroyed": said})


def check_comparable(names: list[str]) -> None:
    """Raise `NotValid` when there are more earlier tables than a computation compares with."""
    if len(names) > MOST_EARLIER:
        raise errors.NotValid(
            f"These data were in more than {MOST_EARLIER} combined tables, with all of which a new one would "
            "have to be compared."
        )


def check_alone(program: str, names: list[str]) -> None:
    """Raise `NotValid` for a mean or quantile of data of which combined tables (`names`) were opened before (P6).

    These programs have no inputs for changed persons, so that a difference of few persons could not be seen.
    """
    if program in SUMMARIES and names:
        raise errors.NotValid(
            f"A combined table of these data was opened before, and a {program} cannot be compared with it."
        )


def sweep_sets(node: Node) -> None:
    """Remove what is remembered of nobody's: sets of visits that ended, and of dealings that were forgotten.

    A profile with noise keeps its set for as long as it waits for a custodian: it was paid for.
    """
    folder = node.config.lineages
    drafts = [p for p in folder.glob("waiting/*.parquet") if not p.name.startswith("profile-")]
    kept = folder.glob("*/dealt/*.parquet")
    old = [p for p in (*drafts, *kept) if time.time() - p.stat().st_mtime > SETTLED_SECONDS]
    for path in old:
        with node.store.read() as reader:
            if path.parent.name == "waiting":
                visit = reader.get(Visit, path.stem)
                needed = visit is not None and not ended("visit", visit.state)
            else:
                needed = reader.get(Earlier, path.stem) is not None
        if not needed:
            path.unlink(missing_ok=True)
