"""A compute party asks contributors whether what they dealt still stands: before start and opening (P19).

A share that was cut moments ago says so for the start. The output of a run is sealed to the home node and waits
here until every contributor has said, moments ago and asked since the run began, that its dealing stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.combine.announcement import announcement_digest
from fairnode.combine.standing import OPEN, START
from fairnode.ledger.commit import Entry, Outgoing, commit, post
from fairnode.network.pieces import remove_pieces
from fairnode.node import Node
from fairnode.records.rows import Computation, Request, Share
from fairnode.store.database import Transaction

FRESH_SECONDS = 300
"""So long a contributor's word is good: reading large data again takes its time, and all must be good at once."""


def is_fresh(at: str) -> bool:
    """Whether a moment is not longer ago than a word is good."""
    return bool(at) and clock.later(FRESH_SECONDS, at) > clock.now()


def nodes_of(facts: Mapping[str, Any]) -> list[str]:
    """The contributors' nodes."""
    return [str(c["node"]) for c in facts["contributors"]]


def unheard(facts: Mapping[str, Any], step: str, shares: Iterable[Share] = ()) -> list[str]:
    """The contributors whose word for a step is not there, or not good any more."""
    said = {node: told["said"] for node, told in facts.get("asks", {}).get(step, {}).items()}
    cut = {share.sender: share.created for share in shares} if step == START else {}
    return [n for n in nodes_of(facts) if not is_fresh(said.get(n, "")) and not is_fresh(cut.get(n, ""))]


def with_questions(
    row: Computation, step: str, nodes: Iterable[str]
) -> tuple[dict[str, Any], list[Outgoing]]:
    """The row's facts with a question to each of these nodes that was not asked yet, and the messages."""
    asks = {name: dict(told) for name, told in row.facts.get("asks", {}).items()}
    mine, messages = asks.setdefault(step, {}), []
    for node in nodes:
        if node in mine and not mine[node]["said"]:
            continue
        mine[node] = {"nonce": secrets.token_hex(16), "said": ""}
        body = {
            "stage": row.stage,
            "announcement": announcement_digest(row.facts),
            "step": step,
            "nonce": mine[node]["nonce"],
        }
        messages.append(Outgoing(node, "stands?", row.study, body))
    return {**row.facts, "asks": asks}, messages


def ask(node: Node, row: Computation, step: str, nodes: list[str]) -> bool:
    """Ask these contributors, but for those whose answer is awaited; whether anybody was asked."""
    if not with_questions(row, step, nodes)[1]:
        return False

    def change(tx: Transaction) -> list[Outgoing]:
        now = tx.get(Computation, row.id)
        if now is None or (now.state, now.facts.get("run")) != (row.state, row.facts["run"]):
            raise errors.Conflict("The computation is another one by now.")
        facts, messages = with_questions(now, step, nodes)
        tx.change(now, facts=facts, changed=clock.now())
        return messages

    entry = Entry("computation.asked", row.study, "node", row.study, {"step": step, "nodes": len(nodes)})
    commit(node.desk, change, entry, lambda _, messages: tuple(messages))
    return True


def receive_stands(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A contributor says that its dealing stands; an answer to another question than the last one is ignored."""
    row = _row(tx, study, str(body["stage"]))
    step = OPEN if body["step"] == OPEN else START
    asked = row.facts.get("asks", {}).get(step, {}).get(sender)
    if asked is not None and asked["nonce"] == str(body["nonce"]):
        asks = {
            **row.facts["asks"],
            step: {**row.facts["asks"][step], sender: {**asked, "said": clock.now()}},
        }
        tx.change(row, facts={**row.facts, "asks": asks}, changed=clock.now())
    return Entry("computation.stands", study, sender, study, {"step": step})


def _row(tx: Transaction, study: str, stage: str) -> Computation:
    """The row of a computation here. Raises `NotAllowed` where there is none."""
    row = tx.get(Computation, f"party#{study}#{stage}")
    if row is None:
        raise errors.NotAllowed("This compute party computes no such study.")
    return row


def receive_taken_back(
    node: Node, tx: Transaction, study: str, sender: str, body: Mapping[str, Any]
) -> Entry:
    """A contributor takes back what it dealt: all shares of that announcement are destroyed, unless it was opened.

    Whatever came of a run with them is destroyed as well, and every contributor and the home node are told.
    """
    told, stage = str(body["announcement"]), str(body["stage"])
    name = f"party#{study}#{stage}"
    row = tx.get(Computation, name)
    if row is None:
        # Before the home node's announcement arrived here: it will find that it is over already.
        if tx.get(Request, study) is None:
            raise errors.NotAllowed("This compute party computes no such study.")
        tx.add(Computation(name, study, stage, "taken back", {"announcement": told}, clock.now()))
        return Entry("computation.taken-back", study, sender, study)
    if "contributors" not in row.facts or announcement_digest(row.facts) != told:
        raise errors.Conflict("A contributor takes back another dealing than the present one.")
    if sender not in nodes_of(row.facts):
        raise errors.NotAllowed("A node that does not contribute takes nothing back.")
    destroyed = 0
    if row.state not in ("opened", "over", "taken back"):
        destroyed = destroy(tx, row)
        tell_destroyed(node, tx, row, unopened=True)
    elif row.state == "opened":
        tell_destroyed(node, tx, row, unopened=False)
    return Entry("computation.taken-back", study, sender, study, {"shares": destroyed})


def destroy(tx: Transaction, row: Computation) -> int:
    """Destroy the shares of a row's announcement and what was computed from them; how many shares there were."""
    told = announcement_digest(row.facts)
    shares = [s for s in tx.find(Share, {"study": row.study}) if told in s.id.split("#")]
    for share in shares:
        tx.remove(share)
    remove_pieces(tx, shares)
    kept = {k: v for k, v in row.facts.items() if k not in ("asks", "outcome")}
    tx.change(row, state="taken back", facts=kept, changed=clock.now())
    return len(shares)


def tell_destroyed(node: Node, tx: Transaction, row: Computation, *, unopened: bool) -> None:
    """Tell contributors and home node that the shares of an announcement are no more, opened or not."""
    request = tx.get(Request, row.study)
    assert request is not None, "a computation comes after its study"
    body = {"stage": row.stage, "announcement": announcement_digest(row.facts), "unopened": unopened}
    for receiver in sorted({*nodes_of(row.facts), request.home}):
        post(tx, node.desk, Outgoing(receiver, "destroyed", row.study, body))
