"""A node with a list of persons: it makes keys in its own code, and deals their fingerprints (P1, P11-P13).

The owners of the lists share a secret that is made for one study: the first of them draws it and seals it to
each of the others (P12). The home node and compute parties without data never have it. Names and keys exist
in a child process only, each time anew from the source with the consent of that day (P19).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.algorithms.own import own_programs
from fairnode.approvals.check import check_approved
from fairnode.approvals.decide import tell_home
from fairnode.child import job_folder, run_child
from fairnode.combine.announcement import announcement_digest, check_announcement
from fairnode.combine.contribute import block, share_messages
from fairnode.combine.made import made_message
from fairnode.combine.standing import (
    Question,
    Recounted,
    answer_question,
    recounted,
    say,
    take_back,
    withhold,
)
from fairnode.disclosure.history import EarlierRelease
from fairnode.disclosure.rules import RuleSet
from fairnode.gate.histories import release_to_json
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.step import Case, read_case
from fairnode.keys import canonical, digest, open_sealed, seal_to
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.linkage import program as linkage
from fairnode.mpc.dealing import pieces_of
from fairnode.mpc.estimate.program import MOST_FIGURES
from fairnode.network.agreement import Agreement
from fairnode.network.joined import check_in_force, current_in
from fairnode.network.pieces import keep_block
from fairnode.node import Node
from fairnode.records.rows import Computation, Dataset, Earlier, Quarantine, Request, Visit
from fairnode.records.states import VisitState
from fairnode.store.database import Transaction
from fairnode.studies.combination import (
    combine_stage,
    figures_asked,
    opens_cells,
    program_name,
    program_parameters,
    table_of,
)
from fairnode.studies.document import StudyPlan
from fairnode.visits.context import VisitContext, read_context
from fairnode.visits.steps import view_mark
from fairnode.visits.view import view_job

SECRET_BYTES = 32
SECONDS = 1800.0


def has_list(node: Node, visit: Visit) -> bool:
    """Whether a visit is one of a list of persons, of which the node makes keys with no container."""
    return read_context(node, visit).manifest.node_program == linkage.NAME


def step_keys(node: Node, visit: Visit) -> Visit:
    """Make the keys once, to see that the list can be dealt; what became of its records is for its owner.

    Nothing of them is kept: they are made anew when they are dealt.
    """
    context = read_context(node, visit)
    check_approved(node, visit, context.content())
    if context.algorithm.image not in {own.identity for own in own_programs().values()}:
        raise errors.NotAllowed("The study names another version of this program than this node's.")
    made = run_child("link", _keys_job(context), spool=node.config.spool, seconds=SECONDS, spare=node.spare)
    verdict = {"outcome": "combine", "list": {k: v for k, v in made.items() if k != "sha256"}}

    def change(tx: Transaction) -> Visit:
        tx.add(Quarantine(visit.id, b"", digest(b""), verdict, clock.now()))
        state, snapshot = VisitState.READY, str(made["sha256"])
        return tx.change(visit, state=state, snapshot=snapshot, changed=clock.now())

    facts = {"view": view_mark(node, str(made["sha256"])), "program": context.algorithm.image}
    return commit(node.desk, change, Entry("visit.keyed", visit.id, "node", visit.study, facts), tell_home)


def list_ready(node: Node, visit: Visit) -> Outgoing:
    """The message that the keys of a visit's list can be made: nothing of them."""
    with node.store.read() as reader:
        request, dataset = reader.get(Request, visit.study), reader.get(Dataset, visit.dataset)
    assert request is not None, "the visit came with its study"
    assert dataset is not None, "the visit is one of a dataset"
    body = {"dataset": dataset.iri, "stage": visit.stage, "contract": {"tables": []}, "earlier": []}
    return Outgoing(request.home, "ready", visit.study, body)


def _keys_job(context: VisitContext) -> dict[str, Any]:
    """The job that makes the keys of a visit's list."""
    stage = combine_stage(context.plan)
    assert stage is not None, "keys serve an overlap"
    return {
        "view": view_job(context),
        "key": context.plan.document["parameters"]["key"],
        "bound": int(stage.options["bound"]),
    }


@dataclass(frozen=True)
class Turn:
    """A list that may be dealt: its visit, what was announced, and the network as it is."""

    case: Case
    row: Computation
    agreement: Agreement

    @property
    def plan(self) -> StudyPlan:
        """The study."""
        return self.case.context.plan

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was announced."""
        return self.row.facts

    @property
    def owners(self) -> list[str]:
        """The nodes with lists, in the order of their places."""
        return [str(c["node"]) for c in self.facts["contributors"]]

    @property
    def secret_row(self) -> str:
        """Under which name the owners' secret is kept."""
        return secret_name(self.row.study, self.row.stage)


def secret_name(study: str, stage: str) -> str:
    """The row that keeps the secret of a study's lists; emptied when the combination is over."""
    return f"linkage#{study}#{stage}"


def step_list(node: Node, visit: Visit) -> Visit:
    """Deal the list as soon as the combination is announced and the owners' secret is here.

    A list that may not go in (P6, P17) is blocked; one that does not fit into its bins asks for another
    attempt, and waits for it.
    """
    with node.store.read() as reader:
        announced = reader.find(Computation, {"study": visit.study, "state": "announced"})
    found = [row for row in announced if row.id.startswith("contributor#")]
    if not found:
        return visit
    try:
        turn = Turn(read_case(node, visit), found[0], check_in_force(node))
        _check_turn(node, turn)
        secret = _secret(node, turn)
        if secret is None:
            return visit
        made = _dealt(node, turn, secret)
    except (Refused, errors.NotValid, errors.NotAllowed) as error:
        return block(node, visit, error)
    if made["failed"]:
        return did_not_fit(node, turn)
    return _hand_out(node, visit, turn, made)


def did_not_fit(node: Node, turn: Turn) -> Visit:
    """A list does not fit into its bins with this attempt's key: all deal anew with the next one (P13)."""
    return take_back(node, turn.case, turn.row, recounted(turn.case, None))


def answer(node: Node, question: Question) -> None:
    """Answer compute parties that ask whether what was dealt still stands: counts, or a list (P19).

    What cannot be made any more, because dataset, data or approvals are not what they were, does not stand.
    """
    try:
        if has_list(node, question.visit):
            _answer_for_list(node, question)
        else:
            answer_question(node, question)
    except (Refused, errors.NotFound, errors.NotValid, errors.NotAllowed) as error:
        withhold(node, question, error)


def _answer_for_list(node: Node, question: Question) -> None:
    """Make the keys once more; say that the list stands, or take it back and deal it anew."""
    visit = question.visit
    if question.row.state == "taken back" or visit.state != VisitState.SHARED:
        say(node, question, stands=False)
        return
    case = read_case(node, visit)
    job = _keys_job(case.context)
    made = run_child("link", job, spool=node.config.spool, seconds=SECONDS, spare=node.spare)
    check_approved(node, visit, case.context.content())
    if made["sha256"] == visit.snapshot:
        say(node, question, stands=True)
        return
    verdict = {"outcome": "combine", "list": {k: v for k, v in made.items() if k != "sha256"}}
    take_back(node, case, question.row, Recounted(str(made["sha256"]), verdict))


def _check_turn(node: Node, turn: Turn) -> None:
    """What was announced is what study and agreement say, and the table's figures are not used up."""
    plan, case = turn.plan, turn.case
    with node.store.read() as reader:
        request = reader.get(Request, plan.hash)
        rows = reader.find(Earlier, {"lineage": case.context.dataset.lineage})
    assert request is not None, "the visit came with its study"
    check_announcement(plan, turn.agreement, request.home, turn.facts)
    if {"dataset": case.context.dataset.iri, "node": node.iri} not in turn.facts["contributors"]:
        raise errors.NotValid("The announced contributors leave this node out.")
    told = [r.facts for r in rows if r.id != case.context.visit.id]
    cells = opens_cells(plan)
    # Cells are opened once: by another key they would be nearly the same, and differ by a few persons.
    same = [
        r
        for r in told
        if r.get("table") == table_of(plan) or r.get("cellsOpened") or (cells and "table" in r)
    ]
    check_figures(same, turn.owners, figures_asked(plan), case.rules)


def check_figures(earlier: list[dict[str, Any]], owners: list[str], asked: int, rules: RuleSet) -> None:
    """Raise `Refused` for more figures of one table than are released (P17), or one over almost the same
    lists (P6). `earlier` is what is remembered of the table, one entry a study.
    """
    least = rules.count("node-sets.nodes")
    for entry in earlier:
        if 0 < len(set(entry["nodes"]) ^ set(owners)) < least:
            raise Refused(Refusal.NODE_SETS)
    if sum(int(entry["figures"]) for entry in earlier) + asked > MOST_FIGURES:
        raise Refused(Refusal.BUDGET)


def _secret(node: Node, turn: Turn) -> bytes | None:
    """The owners' secret; drawn and sent by the first of them, waited for by the others."""
    with node.store.read() as reader:
        row = reader.get(Computation, turn.secret_row)
    first = turn.owners[0]
    if row is not None and row.facts["sender"] == first:
        return bytes.fromhex(row.facts["secret"])
    return _draw(node, turn) if first == node.iri else None


def _draw(node: Node, turn: Turn) -> bytes:
    """A new secret, kept here and sealed to every other owner of a list."""
    secret, study, stage = secrets.token_bytes(SECRET_BYTES), turn.row.study, turn.row.stage
    facts = {"sender": node.iri, "secret": secret.hex()}
    inside = canonical({"study": study, "stage": stage, "secret": secret.hex()})
    messages = []
    for owner in turn.owners[1:]:
        member = turn.agreement.member(owner)
        assert member is not None, "check_announcement asks for members"
        sealed = base64.b64encode(seal_to(member.sealing, inside)).decode()
        messages.append(Outgoing(owner, "linkage", study, {"stage": stage, "sealed": sealed}))
    commit(
        node.desk,
        lambda tx: tx.add(Computation(turn.secret_row, study, stage, "announced", facts, clock.now())),
        Entry("linkage.drawn", study, "node", study, {"owners": len(turn.owners)}),
        tuple(messages),
    )
    return secret


def receive_linkage(node: Node, tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """The secret of the owners of lists: kept until the combination is over. The first one counts.

    Raises `NotAllowed` where this node has no list in the study, `NotValid` for a box of another study.
    """
    stage, agreement = str(body["stage"]), current_in(tx)
    if tx.one(Visit, study=study) is None or agreement is None or agreement.member(sender) is None:
        raise errors.NotAllowed("A linkage secret came for a study in which this node has no list.")
    told = json.loads(open_sealed(node.keys.sealing, base64.b64decode(body["sealed"], validate=True)))
    if (told["study"], told["stage"]) != (study, stage):
        raise errors.NotValid("A linkage secret was sealed for another study.")
    secret = bytes.fromhex(told["secret"])
    if len(secret) != SECRET_BYTES:
        raise errors.NotValid("A linkage secret has another length than agreed.")
    name = secret_name(study, stage)
    if tx.get(Computation, name) is None:
        facts = {"sender": sender, "secret": secret.hex()}
        tx.add(Computation(name, study, stage, "announced", facts, clock.now()))
    return Entry("linkage.received", study, sender, study)


def _dealt(node: Node, turn: Turn, secret: bytes) -> dict[str, Any]:
    """What the job that hashes and deals tells; the block, unless it failed, is kept to be fetched."""
    spool = node.config.spool
    with job_folder(spool, "dealt") as folder:
        job = _deal_job(node, turn, secret, folder / "block")
        made = run_child("link", job, spool=spool, seconds=SECONDS, spare=node.spare)
        if not made["failed"]:
            keep_block(node, turn.row.study, pieces_of(folder / "block"))
    return made


def _deal_job(node: Node, turn: Turn, secret: bytes, to: Path) -> dict[str, Any]:
    """The job that makes the keys anew, hashes and deals them, with the block to a file."""
    facts = turn.facts
    dealt = {
        "program": program_name(turn.plan),
        "parameters": program_parameters(turn.plan, turn.agreement, 0),
        "place": turn.owners.index(node.iri),
        "secret": secret.hex(),
        "study": turn.plan.hash,
        "attempt": int(facts["attempt"]),
        "sender": node.iri,
        "receivers": [k["key"] for k in sorted(facts["receiverKeys"], key=lambda k: int(k["party"]))],
        "signing_key": base64.b64encode(node.keys.signing.private_bytes_raw()).decode(),
        "block": str(to),
    }
    return {**_keys_job(turn.case.context), "deal": dealt}


def _hand_out(node: Node, visit: Visit, turn: Turn, made: Mapping[str, Any]) -> Visit:
    """Send each compute party its sealed package, and remember that figures of this table were let go."""
    facts, lineage = turn.facts, turn.case.context.dataset.lineage
    announced = announcement_digest(facts)
    memory = release_to_json(_memory(turn)) | {
        "table": table_of(turn.plan),
        "figures": figures_asked(turn.plan),
        "cellsOpened": opens_cells(turn.plan),
        "study": turn.plan.hash,
        "opened": False,
    }

    def change(tx: Transaction) -> Visit:
        if tx.count(Earlier, lineage=lineage) != len(turn.case.earlier):
            raise errors.Conflict("Another release of these data came in between; looked at again.")
        row = tx.get(Computation, turn.row.id)
        if row is None or row.state != "announced" or announcement_digest(row.facts) != announced:
            raise errors.Conflict("The combination was announced anew in the meantime.")
        before = tx.get(Earlier, visit.id)
        if before is None:
            tx.add(Earlier(visit.id, lineage, memory, clock.now()))
        elif before.facts["opened"]:  # figures of an attempt that can have been opened are spent
            spent = int(before.facts["figures"]) + int(memory["figures"])
            tx.change(before, facts={**before.facts, "figures": spent})
        state, snapshot = VisitState.SHARED, str(made["sha256"])
        return tx.change(visit, state=state, snapshot=snapshot, changed=clock.now())

    messages = share_messages(turn.agreement, visit.study, facts, made)
    view = view_mark(node, str(made["sha256"]))
    told = {"commitment": made["commitment"], "attempt": facts["attempt"], "view": view}
    entry = Entry("visit.shared", visit.id, "node", visit.study, told)
    made_here = made_message(node, replace(visit, snapshot=str(made["sha256"])), facts)
    return commit(node.desk, change, entry, (*messages, made_here))


def _memory(turn: Turn) -> EarlierRelease:
    """What to remember of a contribution: the table, the lists, no numbers."""
    asking = turn.case.asking
    return EarlierRelease(
        id=turn.case.context.visit.id,
        requester=asking.requester,
        nodes=frozenset(turn.owners),
        day=asking.day,
        query=table_of(turn.plan),
        filter=turn.case.filter,
    )
