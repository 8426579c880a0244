"""How a run ends at a compute party: its output is held, opened, or dropped; or why there is none is told."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairnode import clock, errors
from fairnode.combine.asking import ask, unheard
from fairnode.combine.standing import OPEN
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.rows import Computation, Request
from fairnode.store.database import Transaction
from fairnode.studies.combination import party_members

LEFTOVERS = ("again", "computations", "deal-*", "open_outputs-*", "mpc_party-*")
"""Folders in the spool that hold keys, shares or counts while a step lasts."""


def party_number(node: Node, agreement: Agreement | None) -> int | None:
    """This node's number as a compute party, or None."""
    if agreement is None:
        return None
    found = [party.number for party, member in party_members(agreement) if member.node == node.iri]
    return found[0] if found else None


def still(tx: Transaction, row: Computation, *states: str) -> Computation:
    """The row as it is now, in the same run and one of these states. Raises `Conflict`."""
    now = tx.get(Computation, row.id)
    if now is None or now.state not in states or now.facts.get("run") != row.facts["run"]:
        raise errors.Conflict("The computation was taken back or announced anew in the meantime.")
    return now


@dataclass(frozen=True)
class Run:
    """A run at this compute party: its row, this party's number, and the home node of the study."""

    row: Computation
    number: int
    home: str


def end(node: Node, run: Run, outcome: Mapping[str, Any]) -> None:
    """Note how a run ended here. What belongs to a run that was taken back meanwhile is dropped."""
    try:
        if outcome["outcome"] == "done":
            _hold(node, run.row, outcome)
        else:
            report(node, run, outcome)
    except errors.Conflict as error:
        entry = Entry("computation.dropped", run.row.study, "node", run.row.study, {"why": error.what})
        commit(node.desk, lambda _: None, entry)


def end_with_fault(node: Node, run: Run) -> None:
    """End a run at this party because its own code failed."""
    end(node, run, ended("fault", run.number, f"Compute party {run.number} failed; its log says how."))


def _hold(node: Node, row: Computation, outcome: Mapping[str, Any]) -> None:
    """Keep the output, sealed to the home node, until every contributor says that its dealing stands."""

    def change(tx: Transaction) -> None:
        now = still(tx, row, "running")
        facts = {**now.facts, "outcome": dict(outcome)}
        tx.change(now, state="computed", facts=facts, changed=clock.now())

    commit(node.desk, change, Entry("computation.done", row.study, "node", row.study))


def open_computed(node: Node) -> int:
    """Send off the outputs of which every contributor said that its dealing stands; how many moved."""
    moved = 0
    for run in _runs(node, "computed"):
        silent = unheard(run.row.facts, OPEN)
        if silent:
            moved += ask(node, run.row, OPEN, silent)
        else:
            report(node, run, run.row.facts["outcome"])
            moved += 1
    return moved


def _runs(node: Node, state: str) -> list[Run]:
    """The runs of this compute party in a state."""
    with node.store.read() as reader:
        number = party_number(node, current_in(reader))
        rows = [c for c in reader.find(Computation, {"state": state}) if c.id.startswith("party#")]
        homes = {row.study: request.home for row in rows if (request := reader.get(Request, row.study))}
    return [Run(row, number, homes[row.study]) for row in rows if number is not None and row.study in homes]


def ended(code: str, party: int, sentence: str) -> dict[str, Any]:
    """The outcome of a run that did not come to its end here."""
    return {"outcome": "ended", "reason": {"code": code, "party": party, "sentence": sentence}}


def report(node: Node, run: Run, outcome: Mapping[str, Any]) -> None:
    """Tell the home node how a run ended; what was counted of it goes into the ledger.

    Raises `Conflict` when the run was taken back meanwhile: then nothing leaves.
    """
    row, done = run.row, outcome["outcome"] == "done"
    body = {
        "stage": row.stage,
        "run": row.facts["run"],
        "party": run.number,
        "outcome": outcome["outcome"],
        "output": outcome.get("output", ""),
        "reason": outcome.get("reason") or {},
        "statistics": outcome.get("statistics") or {},
    }

    def change(tx: Transaction) -> None:
        now = still(tx, row, "computed" if done else "running")
        if done and unheard(now.facts, OPEN):
            raise errors.Conflict("A contributor's word is not good any more.")
        facts = {k: v for k, v in now.facts.items() if k != "outcome"}
        tx.change(now, state="opened" if done else "reported", facts=facts, changed=clock.now())

    facts = {"run": body["run"], "outcome": body["outcome"], "statistics": _whole(body["statistics"])}
    entry = Entry("computation.ended", row.study, "node", row.study, facts)
    commit(node.desk, change, entry, (Outgoing(run.home, "output", row.study, body),))


def _whole(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics as the ledger's canonical JSON takes them."""
    return {k: v for k, v in statistics.items() if isinstance(v, int | float | str)}


def recover(node: Node) -> None:
    """After a restart: a run that this process was in is over; say so, so that the home node starts another.

    What was in clear on the disk for that run, and for a dealing that was cut short, is removed.
    """
    for name in LEFTOVERS:
        for folder in node.config.spool.glob(name):
            shutil.rmtree(folder, ignore_errors=True)
    for run in _runs(node, "running"):
        report(node, run, ended("lost", run.number, "The compute party was restarted."))
