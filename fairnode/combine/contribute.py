"""A node with data: it says when its counts are ready, and deals them once it knows who else contributes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.combine.announcement import (
    announcement_digest,
    check_announcement,
    follows,
    read_announcement,
)
from fairnode.combine.compute import forget
from fairnode.combine.fresh import check_unchanged
from fairnode.disclosure.history import EarlierRelease, EarlierTable, query_of
from fairnode.gate.histories import release_to_json
from fairnode.gate.order import Asking, check_node_sets
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import Case, read_case
from fairnode.keys import canonical, commitment
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.agreement import Agreement
from fairnode.network.joined import check_in_force, current_in
from fairnode.node import Node
from fairnode.records.rows import Computation, Earlier, Quarantine, Request, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.store.database import Transaction
from fairnode.studies.combination import party_members, program_parameters
from fairnode.studies.document import read_study_bytes


def receive_announcement(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says who contributes: kept, and acted upon in the next step of the visit.

    Raises `NotAllowed` when another node than the study's home says so.
    """
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node announces its combination.")
    facts = read_announcement(body)
    name = f"contributor#{study}#{facts['stage']}"
    old = tx.get(Computation, name)
    if old is None:
        tx.add(Computation(name, study, facts["stage"], "announced", facts, clock.now()))
    elif old.state == "announced" and follows(facts, old.facts):
        _begin_again(tx, request, old, facts)
    return Entry("combination.announced", study, sender, study, {"contributors": len(facts["contributors"])})


def _begin_again(tx: Transaction, request: Request, old: Computation, facts: dict[str, Any]) -> None:
    """Another attempt, asked for by a contributor (P13): what was dealt before is dealt anew.

    Raises `NotValid` when no contributor signed for it.
    """
    agreement = current_in(tx)
    if agreement is None:
        raise errors.NotValid("This node has no agreement any more.")
    check_announcement(read_study_bytes(request.document), agreement, request.home, facts)
    tx.change(old, facts=facts, changed=clock.now())  # without its "asked": this is the answer to it
    for visit in tx.find(Visit, {"study": old.study, "state": VisitState.SHARED}):
        tx.change(visit, state=VisitState.READY, changed=clock.now())


def receive_combined(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says that the combination is over: the visit ends, and shares and keys are destroyed."""
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node ends its combination.")
    released = body["state"] == PublicState.RELEASED
    for visit in tx.find(Visit, {"study": study, "state": (VisitState.READY, VisitState.SHARED)}):
        after = VisitState.RELEASED if released and visit.state == VisitState.SHARED else VisitState.FAILED
        tx.change(visit, state=after, internal=_ending(released, visit), changed=clock.now())
    for row in tx.find(Computation, {"study": study}):
        if not row.id.startswith("home#") and row.state != "over":
            tx.change(row, state="over", facts={}, changed=clock.now())
    return Entry(
        "combination.over", study, sender, study, {"state": str(body["state"]), "shares": forget(tx, study)}
    )


def _ending(released: bool, visit: Visit) -> str:
    """Why a visit ended like this, for the node's own people."""
    if not released:
        return "Nothing was opened."
    return (
        "" if visit.state == VisitState.SHARED else "An earlier answer was given again; nothing was opened."
    )


def step_ready(node: Node, visit: Visit) -> Visit:
    """Deal the visit's counts as soon as the combination is announced; before that, nothing happens.

    A visit whose counts may not go in (P6, too few contributors, other keys than the parties signed, data
    that changed since) is blocked; outsiders see "not released".
    """
    with node.store.read() as reader:
        found = [
            c for c in reader.find(Computation, {"study": visit.study}) if c.id.startswith("contributor#")
        ]
        quarantine = reader.get(Quarantine, visit.id)
    if not found or quarantine is None:
        return visit
    facts, counts = found[0].facts, list(quarantine.verdict["counts"])
    try:
        case = read_case(node, visit)
        agreement = check_in_force(node)
        _check_set(case, agreement, facts, counts)
        check_unchanged(case.context)
        dealt = _deal(node, visit, case, agreement, facts, counts)
    except (Refused, errors.NotValid, errors.NotAllowed) as error:
        return block(node, visit, error)
    memory = release_to_json(_memory(case, visit, facts)) | {"counts": _counts_mark(node, counts)}

    def change(tx: Transaction) -> Visit:
        if tx.count(Earlier, lineage=case.context.dataset.lineage) != len(case.earlier):
            raise errors.Conflict("Another release of these data came in between; looked at again.")
        tx.add(Earlier(visit.id, case.context.dataset.lineage, memory, clock.now()))
        return tx.change(visit, state=VisitState.SHARED, changed=clock.now())

    messages = tuple(
        Outgoing(
            member.node,
            "share",
            visit.study,
            {
                "stage": facts["stage"],
                "attempt": facts["attempt"],
                "announcement": announcement_digest(facts),
                "package": dealt["packages"][party.number],
                "correction": dealt["correction"],
            },
        )
        for party, member in party_members(agreement)
    )
    entry = Entry("visit.shared", visit.id, "node", visit.study, {"commitment": dealt["commitment"]})
    return commit(node.desk, change, entry, messages)


def _check_set(case: Case, agreement: Agreement, facts: Mapping[str, Any], counts: list[int]) -> None:
    """What was announced is what study and agreement say, this node is in it, and P6 allows the set."""
    plan, me = case.context.plan, case.context.node.iri
    with case.context.node.store.read() as reader:
        request = reader.get(Request, plan.hash)
    assert request is not None, "the visit came with its study"
    check_announcement(plan, agreement, request.home, facts)
    if {"dataset": case.context.dataset.iri, "node": me} not in facts["contributors"]:
        raise errors.NotValid("The announced contributors leave this node out.")
    if facts["program"]["parameters"]["cells"] != len(counts):
        raise errors.NotValid("The announced table has another number of cells than this node's.")
    nodes = nodes_of(facts)
    asking = Asking(case.asking.requester, nodes, datetime.now(UTC).date())
    check_node_sets(asking, case.contract, case.filter, case.earlier, case.rules)
    query = query_of(case.contract, case.filter)
    same = [row for row in _remembered(case) if (row["query"], frozenset(row["nodes"])) == (query, nodes)]
    if any(row.get("counts") != _counts_mark(case.context.node, counts) for row in same):
        # The same cells over the same set again, and the counts have changed since: the difference between
        # the two totals would be about the few persons who came or went (P6).
        raise Refused(Refusal.DIFFERENCING)


def nodes_of(facts: Mapping[str, Any]) -> frozenset[str]:
    """The nodes that contribute."""
    return frozenset(str(c["node"]) for c in facts["contributors"])


def _remembered(case: Case) -> list[dict[str, Any]]:
    """What is remembered of earlier releases of this lineage, as kept."""
    with case.context.node.store.read() as reader:
        rows = reader.find(Earlier, {"lineage": case.context.dataset.lineage})
    return [row.facts for row in rows]


def _counts_mark(node: Node, counts: list[int]) -> str:
    """A keyed hash of this node's counts, by which it sees whether they are the same as at another time."""
    return commitment(node.keys.secret, canonical({"counts": counts}))


def _deal(
    node: Node,
    visit: Visit,
    case: Case,
    agreement: Agreement,
    facts: Mapping[str, Any],
    counts: list[int],
) -> dict[str, Any]:
    """Sealed packages (base64) and the correction block, made in a child process from the node's own counts."""
    return run_child(
        "deal",
        {
            "program": facts["program"]["name"],
            "parameters": program_parameters(case.context.plan, agreement, len(counts)),
            "columns": [counts],
            "study": visit.study,
            "attempt": int(facts["attempt"]),
            "sender": node.iri,
            "receivers": [k["key"] for k in sorted(facts["receiverKeys"], key=lambda k: int(k["party"]))],
            "signing_key": base64.b64encode(node.keys.signing.private_bytes_raw()).decode(),
        },
        spool=node.config.spool,
    )


def _memory(case: Case, visit: Visit, facts: Mapping[str, Any]) -> EarlierRelease:
    """What to remember of a contribution: the cells and the set of nodes, no counts."""
    return EarlierRelease(
        id=visit.id,
        requester=case.asking.requester,
        nodes=nodes_of(facts),
        day=case.asking.day,
        query=query_of(case.contract, case.filter),
        filter=case.filter,
        tables=tuple(EarlierTable(spec, ()) for spec in case.contract.tables),
    )


def block(node: Node, visit: Visit, error: errors.FairnodeError) -> Visit:
    """What was to be dealt does not go in; why is for this node's people."""
    with node.store.read() as reader:
        request = reader.get(Request, visit.study)
    assert request is not None, "the visit came with its study"
    reason = f"{error.what} {error.internal}".strip()
    return commit(
        node.desk,
        lambda tx: tx.change(visit, state=VisitState.BLOCKED, internal=reason, changed=clock.now()),
        Entry("visit.blocked", visit.id, "node", visit.study),
        (Outgoing(request.home, "withheld", visit.study, {"stage": visit.stage}),),
    )
