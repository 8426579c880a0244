"""A node with data: it says when its counts are ready, and deals them once it knows who else contributes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.combine.compute import forget
from fairnode.disclosure.history import EarlierRelease, EarlierTable, query_of
from fairnode.gate.memory import earlier_to_json
from fairnode.gate.order import Asking, check_node_sets
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import Case, read_case
from fairnode.keys import verify
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.mpc.openings.rule import check_contributors
from fairnode.network.agreement import Agreement
from fairnode.network.joined import check_in_force
from fairnode.node import Node
from fairnode.records.rows import Computation, Earlier, Quarantine, Request, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.store.database import Transaction
from fairnode.studies.combination import party_members, program_parameters, receiver_key_bytes


def receive_announcement(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says who contributes: kept, and acted upon in the next step of the visit.

    Raises `NotAllowed` when another node than the study's home says so.
    """
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node announces its combination.")
    name = f"contributor#{study}#{body['stage']}"
    if tx.get(Computation, name) is None:
        tx.add(Computation(name, study, str(body["stage"]), "announced", dict(body), clock.now()))
    return Entry("combination.announced", study, sender, study, {"contributors": len(body["contributors"])})


def receive_combined(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says that the combination is over: the visit ends, and shares and keys are destroyed."""
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node ends its combination.")
    released = body["state"] == PublicState.RELEASED
    for visit in tx.find(Visit, {"study": study, "state": (VisitState.READY, VisitState.SHARED)}):
        after = VisitState.RELEASED if released and visit.state == VisitState.SHARED else VisitState.FAILED
        tx.change(visit, state=after, internal="" if released else "Nothing was opened.", changed=clock.now())
    for row in tx.find(Computation, {"study": study}):
        if not row.id.startswith("home#") and row.state != "over":
            tx.change(row, state="over", facts={}, changed=clock.now())
    return Entry(
        "combination.over", study, sender, study, {"state": str(body["state"]), "shares": forget(tx, study)}
    )


def step_ready(node: Node, visit: Visit) -> Visit:
    """Deal the visit's counts as soon as the combination is announced; before that, nothing happens.

    A visit whose counts may not go in (P6, too few contributors, other keys than the parties signed) is
    blocked; outsiders see "not released".
    """
    with node.store.read() as reader:
        found = [
            c for c in reader.find(Computation, {"study": visit.study}) if c.id.startswith("contributor#")
        ]
        quarantine = reader.get(Quarantine, visit.id)
    if not found or quarantine is None:
        return visit
    facts = found[0].facts
    try:
        case = read_case(node, visit)
        agreement = check_in_force(node)
        _check_set(case, agreement, facts)
        dealt = _deal(node, visit, case, agreement, facts, quarantine.verdict["counts"])
    except (Refused, errors.NotValid, errors.NotAllowed) as error:
        return _block(node, visit, error)
    memory = _memory(case, visit, facts)

    def change(tx: Transaction) -> Visit:
        tx.add(Earlier(visit.id, case.context.dataset.lineage, earlier_to_json(memory), clock.now()))
        return tx.change(visit, state=VisitState.SHARED, changed=clock.now())

    messages = tuple(
        Outgoing(
            member.node,
            "share",
            visit.study,
            {
                "stage": facts["stage"],
                "attempt": facts["attempt"],
                "package": dealt["packages"][party.number],
                "correction": dealt["correction"],
            },
        )
        for party, member in party_members(agreement)
    )
    entry = Entry("visit.shared", visit.id, "node", visit.study, {"commitment": dealt["commitment"]})
    return commit(node.desk, change, entry, messages)


def _check_set(case: Case, agreement: Agreement, facts: Mapping[str, Any]) -> None:
    """The announced set: signed keys of the agreed parties, contributors of this study, P4 and P6."""
    plan, stage = case.context.plan, str(facts["stage"])
    if not {c["dataset"] for c in facts["contributors"]} <= set(plan.datasets):
        raise errors.NotValid("The announced contributors are not those of the study.")
    members = {party.number: member for party, member in party_members(agreement)}
    told = {int(k["party"]): k for k in facts["receiverKeys"]}
    if set(told) != set(members):
        raise errors.NotValid("The announced compute parties are not those of the agreement.")
    for number, member in members.items():
        signed = receiver_key_bytes(plan.hash, stage, number, told[number]["key"])
        if not verify(member.signing, bytes.fromhex(told[number]["signature"]), signed):
            raise errors.NotValid(f"The receiver key of compute party {number} is not signed by it.")
    check_contributors(len(facts["contributors"]), len(members))
    nodes = frozenset(str(c["node"]) for c in facts["contributors"])
    asking = Asking(case.asking.requester, nodes, datetime.now(UTC).date())
    check_node_sets(asking, case.contract, case.filter, case.earlier, case.rules)
    query = query_of(case.contract, case.filter)
    if any(e.query == query and e.nodes == nodes for e in case.earlier):
        # The same cells over the same set were released already; that answer stands (P6).
        raise Refused(Refusal.DIFFERENCING)


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
        nodes=frozenset(str(c["node"]) for c in facts["contributors"]),
        day=case.asking.day,
        query=query_of(case.contract, case.filter),
        filter=case.filter,
        tables=tuple(EarlierTable(spec, ()) for spec in case.contract.tables),
    )


def _block(node: Node, visit: Visit, error: errors.FairnodeError) -> Visit:
    """The counts do not go in; why is for this node's people."""
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
