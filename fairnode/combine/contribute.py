"""A node with data: it says when its counts are ready, and deals them once it knows who else contributes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.child import job_folder, run_child
from fairnode.combine.announcement import announcement_digest, check_announcement, read_announcement
from fairnode.combine.compute import forget
from fairnode.combine.fresh import Changed, read_again
from fairnode.combine.made import made_message
from fairnode.combine.memory import (
    UNOPENED,
    changed_persons,
    check_alone,
    check_comparable,
    check_opened_one_way,
    forget_unopened,
    keep_set,
    memory_of,
)
from fairnode.combine.standing import not_compared, recounted, take_back
from fairnode.gate.order import Asking, check_node_sets
from fairnode.gate.refusals import Refused
from fairnode.gate.step import Case, read_case
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.mpc.dealing import holds_block, pieces_of
from fairnode.network.agreement import Agreement
from fairnode.network.joined import check_in_force, current_in
from fairnode.network.pieces import keep_block
from fairnode.node import Node
from fairnode.records.rows import Computation, Earlier, Quarantine, Request, Visit
from fairnode.records.states import PublicState, VisitState
from fairnode.store.database import Transaction
from fairnode.studies.combination import is_summary, party_members, program_parameters, question
from fairnode.studies.container import container_stage
from fairnode.studies.document import read_study_bytes
from fairnode.visits.budget import give_back


def receive_announcement(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says who contributes: kept, and acted upon in the next step of the visit.

    Raises `NotAllowed` when another node than the study's home says so.
    """
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node announces its combination.")
    facts = read_announcement(body)
    row = Computation(
        f"contributor#{study}#{facts['stage']}", study, facts["stage"], "announced", facts, clock.now()
    )
    old = tx.get(Computation, row.id)
    if old is None:
        tx.add(row)
    elif old.state != "over" and int(facts["attempt"]) > int(old.facts["attempt"]):
        _deal_anew(tx, request, old, facts)
    return Entry("combination.announced", study, sender, study, {"contributors": len(facts["contributors"])})


def _deal_anew(tx: Transaction, request: Request, old: Computation, facts: dict[str, Any]) -> None:
    """The next attempt: what was dealt for the one before is void; unless it can have been opened, forgotten.

    Raises `NotValid` when no contributor signed for another attempt.
    """
    agreement = current_in(tx)
    if agreement is None:
        raise errors.NotValid("This node has no agreement any more.")
    check_announcement(read_study_bytes(request.document), agreement, request.home, facts)
    tx.change(old, state="announced", facts=facts, changed=clock.now())
    memory = tx.get(Earlier, announcement_digest(old.facts))
    if memory is not None and not memory.facts["opened"]:
        tx.remove(memory)
    for visit in tx.find(Visit, {"study": old.study, "state": VisitState.SHARED}):
        tx.change(visit, state=VisitState.READY, changed=clock.now())


def receive_combined(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The home node says that the combination is over: the visit ends, and shares and keys are destroyed."""
    request = tx.get(Request, study)
    if request is None or request.home != sender:
        raise errors.NotAllowed("Only a study's home node ends its combination.")
    released = body["state"] == PublicState.RELEASED
    for visit in tx.find(Visit, {"study": study, "state": (VisitState.READY, VisitState.SHARED)}):
        if released and visit.state == VisitState.READY:
            give_back(tx, visit.id)
        after = VisitState.RELEASED if released and visit.state == VisitState.SHARED else VisitState.FAILED
        tx.change(visit, state=after, internal=_ending(released, visit), changed=clock.now())
    for row in tx.find(Computation, {"study": study}):
        if not row.id.startswith("home#") and row.state != "over":
            tx.change(row, state="over", facts={}, changed=clock.now())
    if not released:
        for spent in forget_unopened(tx, study):
            give_back(tx, spent)
    return Entry(
        "combination.over", study, sender, study, {"state": str(body["state"]), "shares": forget(tx, study)}
    )


def _ending(released: bool, visit: Visit) -> str:
    """Why a visit ended like this, for the node's own people."""
    if not released:
        return UNOPENED
    return (
        "" if visit.state == VisitState.SHARED else "An earlier answer was given again; nothing was opened."
    )


def step_ready(node: Node, visit: Visit) -> Visit:
    """Deal the visit's counts as soon as the combination is announced; before that, nothing happens.

    Data that changed since the visit are counted again, and dealt in the next attempt; so are counts that would
    not be compared with a combined table that was opened in between (P6). A visit whose counts may not go in
    (another set of nodes, too few contributors, other keys than the parties signed) is blocked; outsiders see
    "not released".
    """
    with node.store.read() as reader:
        found = [
            c
            for c in reader.find(Computation, {"study": visit.study, "state": "announced"})
            if c.id.startswith("contributor#")
        ]
        quarantine = reader.get(Quarantine, visit.id)
    if not found or quarantine is None:
        return visit
    row, counts = found[0], list(quarantine.verdict["counts"])
    try:
        case = read_case(node, visit)
        agreement = check_in_force(node)
        with read_again(case.context) as changed:
            missing = not_compared(node, case, row.facts)
            if changed is not None or missing:
                return _not_yet(node, case, row, changed, missing)
        _check_set(case, agreement, row.facts, counts)
        with job_folder(node.config.spool, "dealt") as folder:
            dealt = _deal(case, agreement, row.facts, counts, folder / "block")
            keep_block(node, visit.study, pieces_of(folder / "block"))
    except (Refused, errors.NotValid, errors.NotAllowed) as error:
        return block(node, visit, error)
    return _share(node, case, agreement, row.facts, dealt, counts)


def _not_yet(node: Node, case: Case, row: Computation, changed: Changed | None, missing: list[str]) -> Visit:
    """Have another attempt announced; wait first while it may be heard that nothing was opened in the last one."""
    with node.store.read() as reader:
        mine = [reader.get(Earlier, name.partition("/")[0]) for name in missing]
    if changed is None and all(memory and memory.facts["study"] == row.study for memory in mine):
        return case.context.visit
    return take_back(node, case, row, recounted(case, changed))


def _share(
    node: Node,
    case: Case,
    agreement: Agreement,
    facts: Mapping[str, Any],
    dealt: Mapping[str, Any],
    counts: list[int],
) -> Visit:
    """Remember what is dealt, and send each compute party its sealed part."""
    visit, told = case.context.visit, announcement_digest(facts)
    lineage = case.context.dataset.lineage
    keep_set(node, visit, lineage, told)

    def change(tx: Transaction) -> Visit:
        if {row.id for row in tx.find(Earlier, {"lineage": lineage})} != {e.id for e in case.earlier}:
            raise errors.Conflict("Another release of these data came in between; looked at again.")
        row = tx.get(Computation, f"contributor#{visit.study}#{facts['stage']}")
        if row is None or row.state != "announced" or announcement_digest(row.facts) != told:
            raise errors.Conflict("The combination was announced anew in the meantime.")
        if container_stage(case.context.plan) is None:  # noise hides what it would be remembered for
            tx.add(memory_of(case, facts, told, counts))
        return tx.change(visit, state=VisitState.SHARED, changed=clock.now())

    messages = share_messages(agreement, visit.study, facts, dealt)
    entry = Entry("visit.shared", visit.id, "node", visit.study, {"commitment": dealt["commitment"]})
    return commit(node.desk, change, entry, (*messages, made_message(node, visit, facts)))


def share_messages(
    agreement: Agreement, study: str, facts: Mapping[str, Any], dealt: Mapping[str, Any]
) -> tuple[Outgoing, ...]:
    """What each compute party is sent: its package, and the pieces of the block if it holds that (P13)."""
    body = {
        "stage": facts["stage"],
        "attempt": facts["attempt"],
        "announcement": announcement_digest(facts),
        "at": clock.now(),
    }
    parties = party_members(agreement)
    return tuple(
        Outgoing(
            member.node,
            "share",
            study,
            {
                **body,
                "package": dealt["packages"][party.number],
                "pieces": dealt["pieces"] if holds_block(len(parties), party.number) else [],
            },
        )
        for party, member in parties
    )


def _check_set(case: Case, agreement: Agreement, facts: Mapping[str, Any], counts: list[int]) -> None:
    """What was announced is what study and agreement say, this node is in it, and P6 allows the set."""
    plan, me = case.context.plan, case.context.node.iri
    with case.context.node.store.read() as reader:
        request = reader.get(Request, plan.hash)
    assert request is not None, "the visit came with its study"
    check_announcement(plan, agreement, request.home, facts)
    if {"dataset": case.context.dataset.iri, "node": me} not in facts["contributors"]:
        raise errors.NotValid("The announced contributors leave this node out.")
    if not is_summary(plan) and facts["program"]["parameters"]["cells"] != len(counts):
        raise errors.NotValid("The announced table has another number of cells than this node's.")
    nodes = nodes_of(facts)
    if container_stage(plan) is not None:
        return
    asking = Asking(case.asking.requester, nodes, datetime.now(UTC).date())
    check_node_sets(asking, case.contract, case.filter, case.earlier, case.rules)
    check_opened_one_way(case, nodes, facts["program"]["name"])
    check_comparable(facts["earlier"])
    check_alone(facts["program"]["name"], facts["earlier"])


def nodes_of(facts: Mapping[str, Any]) -> frozenset[str]:
    """The nodes that contribute."""
    return frozenset(str(c["node"]) for c in facts["contributors"])


def _deal(
    case: Case, agreement: Agreement, facts: Mapping[str, Any], counts: list[int], to: Path
) -> dict[str, Any]:
    """Sealed packages (base64), and the correction block in the file `to`, from the node's own counts.

    Made in a child process. With them, for each earlier table, go the numbers of changed persons (P6).
    """
    node = case.context.node
    parameters = program_parameters(case.context.plan, agreement, len(counts), len(facts["earlier"]))
    changed = changed_persons(case, facts["earlier"], counts)
    most = int(parameters.get("largest", 0))
    return run_child(
        "deal",
        {
            "program": facts["program"]["name"],
            "parameters": parameters,
            "columns": [*dealt_columns(case, counts), *([min(n, most) for n in row] for row in changed)],
            "study": case.context.visit.study,
            "attempt": int(facts["attempt"]),
            "sender": node.iri,
            "receivers": [k["key"] for k in sorted(facts["receiverKeys"], key=lambda k: int(k["party"]))],
            "signing_key": base64.b64encode(node.keys.signing.private_bytes_raw()).decode(),
            "block": str(to),
        },
        spool=node.config.spool,
    )


def dealt_columns(case: Case, counts: list[int]) -> list[list[int]]:
    """What is dealt of a node's counts: for a table they themselves, else what its figures are made of."""
    asked = question(case.context.plan)
    return [counts] if asked is None else asked.columns(case.contract.tables[0], counts)


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
