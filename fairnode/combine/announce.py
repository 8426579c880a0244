"""The home node of a combined study: it waits until all are ready, says who contributes, opens the result."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.combine.again import all_destroyed, earlier_tables
from fairnode.combine.announcement import announcement_digest, read_announcement
from fairnode.combine.beside import without_remainders
from fairnode.combine.made import untold
from fairnode.combine.memory import check_alone, check_comparable
from fairnode.combine.question import asked_question
from fairnode.combine.told import told_of, whole
from fairnode.keys import canonical, digest, verify
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.mpc.openings.rule import check_contributors
from fairnode.mpc.programs import programs
from fairnode.mpc.programs.noisy_sum import NOISY_SUM
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.result import OutputContract
from fairnode.records.result_json import contract_from_json, contract_to_json
from fairnode.records.rows import Computation, Follow, Release, Study
from fairnode.records.states import PublicState, StudyState
from fairnode.release.receive import release_bytes
from fairnode.store.database import Transaction
from fairnode.studies.combination import (
    combine_stage,
    is_overlap,
    key_facts,
    party_members,
    program_name,
    program_parameters,
    receiver_key_bytes,
)
from fairnode.studies.document import StudyPlan, read_study_bytes
from fairnode.studies.follow import ENDED, finish_when_done

MOST_RUNS = 5
"""With the same shares. Of a noisy sum there is one: several with other noise would tell more."""


def _home_row(tx: Transaction, study: str) -> Computation:
    """The home node's row of a study's combination. Raises `NotFound` when the study is not from here."""
    row = tx.get(Study, study)
    stage = combine_stage(read_study_bytes(row.document)) if row else None
    if row is None or stage is None:
        raise errors.NotFound("This node did not send such a study.")
    name = f"home#{study}#{stage.name}"
    found = tx.get(Computation, name)
    if found is None:
        empty: dict[str, Any] = {
            "stage": stage.name,
            "keys": {},
            "ready": {},
            "outputs": {},
            "runs": 0,
            "attempt": 1,
        }
        found = tx.add(Computation(name, study, stage.name, "waiting", empty, clock.now()))
    return found


def receive_key(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A compute party tells its key for a study of ours."""
    row, agreement = _home_row(tx, study), current_in(tx)
    number, key = int(body["party"]), str(body["key"])
    members = {p.number: m for p, m in party_members(agreement)} if agreement else {}
    signed = receiver_key_bytes(study, str(body["stage"]), number, key)
    if number not in members or members[number].node != sender:
        raise errors.NotAllowed("A node that is not this compute party told a key.")
    if not verify(members[number].signing, bytes.fromhex(str(body["signature"])), signed):
        raise errors.NotValid("A receiver key is not signed by its compute party.")
    keys = {**row.facts["keys"]}
    keys.setdefault(str(number), {"party": number, "key": key, "signature": str(body["signature"])})
    tx.change(row, facts={**row.facts, "keys": keys}, changed=clock.now())
    return Entry("computation.key", study, sender, study, {"party": number})


def receive_ready(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A node's counts are ready to be dealt."""
    row = _home_row(tx, study)
    line = tx.one(Follow, study=study, dataset=str(body["dataset"]), stage=str(body["stage"]))
    if line is None or line.node != sender:
        raise errors.NotAllowed("A node speaks for its own visits only.")
    contract = contract_to_json(contract_from_json(body["contract"]))
    earlier = [str(name) for name in body["earlier"]]
    told = {"node": sender, "contract": contract, "earlier": earlier}
    ready = {**row.facts["ready"], line.dataset: told}
    tx.change(row, facts={**row.facts, "ready": ready}, changed=clock.now())
    if line.state not in ENDED:
        tx.change(line, state=PublicState.RUNNING, changed=clock.now())
    return Entry("combination.ready", line.id, sender, study)


def receive_withheld(tx: Transaction, study: str, sender: str) -> Entry:
    """A node does not let its counts in after all: the combination cannot be made as announced."""
    row = _home_row(tx, study)
    if sender not in {c["node"] for c in row.facts["ready"].values()}:
        raise errors.NotAllowed("A node speaks for its own visits only.")
    tx.change(row, facts={**row.facts, "withheld": True}, changed=clock.now())
    return Entry("combination.withheld", study, sender, study)


def receive_output(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A compute party's sealed output, or why there is none. Of another run than the present one: ignored."""
    row, agreement = _home_row(tx, study), current_in(tx)
    number = int(body["party"])
    members = {p.number: m.node for p, m in party_members(agreement)} if agreement else {}
    if members.get(number) != sender:
        raise errors.NotAllowed("A node that is not this compute party sent an output.")
    told = _outcome(body)
    if str(body["run"]) == row.facts.get("run"):
        outputs = {**row.facts["outputs"], str(number): told}
        tx.change(row, facts={**row.facts, "outputs": outputs}, changed=clock.now())
    return Entry(
        "computation.output", study, sender, study, {"party": number, "outcome": str(told["outcome"])}
    )


def _outcome(body: Mapping[str, Any]) -> dict[str, Any]:
    """How a run ended at one party. Raises `KeyError`, `TypeError` or `ValueError` when malformed."""
    base64.b64decode(body["output"], validate=True)
    reason = {name: str(body["reason"].get(name, ""))[:500] for name in ("code", "sentence")}
    done = body["outcome"] == "done"
    return {
        "outcome": "done" if done else "ended",
        "output": body["output"],
        "reason": reason,
        "statistics": whole(body.get("statistics", {})),
    }


def step_combinations(node: Node) -> int:
    """Take the next step of every combination of this home node's studies; how many moved."""
    with node.store.read() as reader:
        rows = reader.find(Computation, {"state": ("waiting", "announced")})
    return sum(_stepped(node, row) for row in rows if row.id.startswith("home#"))


def _stepped(node: Node, row: Computation) -> bool:
    """Whether the combination moved; not when a message changed it meanwhile: then it is looked at again."""
    try:
        return _step(node, row)
    except errors.Conflict:
        return False


def _step(node: Node, row: Computation) -> bool:
    """Announce, open, start again, or give up."""
    with node.store.read() as reader:
        study = reader.get(Study, row.study)
        lines = reader.find(Follow, {"study": row.study})
        agreement = current_in(reader)
    if study is None or agreement is None:
        return False
    if study.state != StudyState.SENT:
        return _give_up(node, row, agreement, "The study was taken back.")
    plan = read_study_bytes(study.document)
    if row.facts.get("withheld"):
        return _give_up(node, row, agreement, "The figures of these organisations cannot be combined.")
    if row.state == "waiting":
        return _announce_when_ready(node, row, plan, agreement, lines)
    ended = {line.dataset for line in lines if line.state in ENDED}
    if ended & {c["dataset"] for c in row.facts["contributors"]}:
        return _give_up(node, row, agreement, "An organisation's visit ended before its figures were dealt.")
    return _open_when_reported(node, row, agreement)


def _announce_when_ready(
    node: Node, row: Computation, plan: StudyPlan, agreement: Agreement, lines: list[Follow]
) -> bool:
    """When every visit is ready or has ended, and every party told its key: say who contributes."""
    running = {line.dataset for line in lines if line.state not in ENDED}
    if is_overlap(plan) and running != set(plan.datasets):
        return _give_up(node, row, agreement, "A list is missing, and an overlap is over all or none.")
    ready = {dataset: entry for dataset, entry in row.facts["ready"].items() if dataset in running}
    if running - set(ready) or not all_destroyed(row.facts, agreement):
        return False
    earlier = earlier_tables(row.facts, ready)
    try:
        check_comparable(earlier)
        check_contributors(len(ready), len(agreement.parties))
        contract = _one_contract([entry["contract"] for entry in ready.values()])
    except errors.NotValid as error:
        return _give_up(node, row, agreement, error.what)
    query = asked_question(plan, contract)
    stored = stored_answer(node, sorted(ready), query)
    if stored is not None:
        return _release(node, row, agreement, answer_again(stored), sorted(ready), query)
    try:
        check_alone(program_name(plan), earlier)
    except errors.NotValid as error:
        return _give_up(node, row, agreement, error.what)
    if len(row.facts["keys"]) < len(agreement.parties):
        return False
    cells = sum(len(list(table.keys())) for table in contract.tables)
    program = programs()[program_name(plan)]
    facts = {
        **row.facts,
        "contract": contract_to_json(contract),
        "contributors": [{"dataset": d, "node": ready[d]["node"]} for d in plan.datasets if d in ready],
        "query": query,
        "earlier": earlier,
        "key": key_facts(plan),
        "asked": plan.document["parameters"],
        "program": {
            "name": program.name,
            "digest": program.digest,
            "parameters": program_parameters(plan, agreement, cells, len(earlier)),
        },
    }
    return _start_run(node, row, agreement, facts)


def _one_contract(told: list[dict[str, Any]]) -> OutputContract:
    """The contract that all nodes have alike. Raises `NotValid` when a table has another shape somewhere."""
    if any(other != told[0] for other in told[1:]):
        raise errors.NotValid("The organisations' tables have different shapes and cannot be added.")
    return contract_from_json(told[0])


def _start_run(node: Node, row: Computation, agreement: Agreement, facts: dict[str, Any]) -> bool:
    """Announce a run (the first, or another one with the same shares) to contributors and parties."""
    run = secrets.token_hex(16)
    body = {
        "stage": row.stage,
        "run": run,
        "attempt": facts["attempt"],
        "earlier": facts["earlier"],
        "retry": facts.get("retry"),
        "contributors": facts["contributors"],
        "receiverKeys": [facts["keys"][k] for k in sorted(facts["keys"])],
        "program": facts["program"],
        "recipient": node.keys.sealing_public,
    }
    told = announcement_digest(read_announcement(body))
    facts = {**facts, "run": run, "runs": facts["runs"] + 1, "outputs": {}, "announced": told}
    receivers = {m.node for _, m in party_members(agreement)} | {c["node"] for c in facts["contributors"]}

    def change(tx: Transaction) -> None:
        if tx.get(Computation, row.id) != row:
            raise errors.Conflict("The combination is no longer as it was; looked at again.")
        tx.change(row, state="announced", facts=facts, changed=clock.now())

    commit(
        node.desk,
        change,
        Entry(
            "combination.announced",
            row.study,
            "node",
            row.study,
            {"run": run, "number": facts["runs"], "attempt": facts["attempt"]},
        ),
        tuple(Outgoing(receiver, "combine", row.study, body) for receiver in sorted(receivers)),
    )
    return True


def _open_when_reported(node: Node, row: Computation, agreement: Agreement) -> bool:
    """When every party has reported: open the result, or start again, or say what went wrong.

    A party that is down is waited for (`waiting_for` names it): it reports when it is back; so is a contributor
    that has not told how its part was made.
    """
    outputs = row.facts["outputs"]
    if len(outputs) < len(agreement.parties):
        return False
    bad = [o["reason"] for o in outputs.values() if o["outcome"] != "done"]
    if not bad and untold(row.facts):
        return False
    if not bad:
        try:
            opened = _joined(node, row, [outputs[k]["output"] for k in sorted(outputs)])
        except errors.NotValid as error:
            bad = [{"code": "output", "sentence": error.what}]
        else:
            told = told_of(row, agreement, without_remainders(node, row, opened))
            datasets = [c["dataset"] for c in row.facts["contributors"]]
            return _release(node, row, agreement, told, datasets, row.facts["query"])
    noisy = row.facts["program"]["name"] == NOISY_SUM.name
    if row.facts["runs"] < (1 if noisy else MOST_RUNS):
        return _start_run(node, row, agreement, row.facts)
    return _give_up(
        node, row, agreement, f"The computation ended: {bad[0].get('sentence', 'unknown reason')}"
    )


def _joined(node: Node, row: Computation, outputs: list[str]) -> dict[str, Any]:
    """The table in the output shares, opened in a child process."""
    return run_child(
        "open_outputs",
        {
            "program": row.facts["program"]["name"],
            "parameters": row.facts["program"]["parameters"],
            "outputs": outputs,
            "secret": base64.b64encode(bytes(node.keys.sealing)).decode(),
        },
        spool=node.config.spool,
    )


def stored_answer(node: Node, datasets: list[str], query: str) -> Release | None:
    """The latest release here of the same cells over the same datasets, to be given again (P6)."""
    with node.store.read() as reader:
        releases = reader.find(Release, order="-created")
    asked = {"datasets": datasets, "query": query}
    return next((r for r in releases if {k: r.facts.get(k) for k in asked} == asked), None)


def answer_again(stored: Release) -> dict[str, Any]:
    """A released table once more, saying of which release it is the answer."""
    told = dict(json.loads(stored.table))
    return {**told, "answerOf": told.get("answerOf", stored.id)}


def _release(
    node: Node,
    row: Computation,
    agreement: Agreement,
    told: dict[str, Any],
    datasets: list[str],
    query: str,
) -> bool:
    """Keep and sign the combined table, close the study's lines, and tell everyone who took part."""
    name = digest(f"{row.study}#{row.stage}".encode())[:20]
    told = {**told, "release": name}
    content = canonical(told)
    unsigned = Release(
        id=name,
        study=row.study,
        stage=row.stage,
        dataset=f"{node.iri}/dataset/combined-{row.study[:12]}",
        lineage="",
        table=content,
        sha256=digest(content),
        signature="",
        facts={"datasets": sorted(datasets), "query": query},
        created=clock.now(),
    )
    signature = node.keys.signing.sign(release_bytes(unsigned, node.iri)).hex()
    release = Release(**{**vars(unsigned), "signature": signature})

    def change(tx: Transaction) -> None:
        tx.add(release)
        tx.change(row, state="done", changed=clock.now())
        _close_lines(tx, row.study, release.id)

    entry = Entry("combination.released", release.id, "node", row.study, {"release": release.sha256})
    commit(node.desk, change, entry, _farewell(row, agreement, PublicState.RELEASED))
    return True


def _close_lines(tx: Transaction, study: str, release: str, sentence: str = "") -> None:
    """Close every open line of a study."""
    state = PublicState.RELEASED if release else PublicState.NOT_RELEASED
    for line in tx.find(Follow, {"study": study}):
        if line.state not in ENDED:
            tx.change(line, state=state, release=release, sentence=sentence, changed=clock.now())
    finish_when_done(tx, study)


def _give_up(node: Node, row: Computation, agreement: Agreement, sentence: str) -> bool:
    """End a combination without a result; nothing was opened."""

    def change(tx: Transaction) -> None:
        tx.change(row, state="ended", changed=clock.now())
        _close_lines(tx, row.study, "", sentence)

    entry = Entry("combination.ended", row.study, "node", row.study, {"why": sentence})
    commit(node.desk, change, entry, _farewell(row, agreement, PublicState.NOT_RELEASED))
    return True


def _farewell(row: Computation, agreement: Agreement, state: PublicState) -> tuple[Outgoing, ...]:
    """The message that ends it for contributors and parties: shares and keys are destroyed."""
    nodes = {m.node for _, m in party_members(agreement)} | {c["node"] for c in row.facts["ready"].values()}
    body = {"stage": row.stage, "state": state.value}
    return tuple(Outgoing(receiver, "combined", row.study, body) for receiver in sorted(nodes))
