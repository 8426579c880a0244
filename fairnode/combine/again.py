"""The home node, when a contributor takes back what it dealt: the next attempt, once all is destroyed (P19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.combine.announcement import MOST_ATTEMPTS, attempt_bytes
from fairnode.keys import verify
from fairnode.ledger.commit import Entry
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.records.rows import Computation
from fairnode.store.database import Transaction
from fairnode.studies.combination import party_members


def _row(tx: Transaction, study: str, stage: str) -> Computation:
    """The combination of a study of this home node. Raises `NotFound`."""
    row = tx.get(Computation, f"home#{study}#{stage}")
    if row is None:
        raise errors.NotFound("This node did not send such a study.")
    return row


def receive_deal_again(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A contributor takes back what it dealt, and signs that another attempt is made. Its counts come anew."""
    row, agreement = _row(tx, study, str(body["stage"])), current_in(tx)
    member, attempt = agreement.member(sender) if agreement else None, int(body["attempt"])
    ready = row.facts["ready"].get(str(body["dataset"]))
    if member is None or ready is None or ready["node"] != sender:
        raise errors.NotAllowed("A node that does not contribute takes nothing back.")
    signature = bytes.fromhex(str(body["signature"]))
    if not verify(member.signing, signature, attempt_bytes(study, row.stage, attempt)):
        raise errors.NotValid("Another attempt is not signed by the contributor who asks for it.")
    told = str(body["announcement"])
    entry = Entry("combination.taken-back", study, sender, study, {"attempt": attempt})
    left = {dataset: line for dataset, line in row.facts["ready"].items() if dataset != str(body["dataset"])}
    if row.state == "waiting" and row.facts.get("taken") == told:
        tx.change(row, facts={**row.facts, "ready": left}, changed=clock.now())
        return entry
    if row.state != "announced" or row.facts["announced"] != told:
        raise errors.Conflict("A contributor takes back another dealing than the present one.")
    if attempt != int(row.facts["attempt"]) + 1:
        raise errors.NotValid("A contributor asks for another attempt than the next one.")
    facts = {
        **row.facts,
        "ready": left,
        "taken": told,
        "destroyed": {},
        "attempt": attempt,
        "retry": {"node": sender, "signature": signature.hex()},
        "withheld": row.facts.get("withheld", False) or attempt > MOST_ATTEMPTS,
        "run": "",
        "outputs": {},
        "runs": 0,
    }
    tx.change(row, state="waiting", facts=facts, changed=clock.now())
    return entry


def receive_destroyed(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A compute party destroyed the shares of the attempt before; whether it had opened them already."""
    row, agreement = _row(tx, study, str(body["stage"])), current_in(tx)
    numbers = {m.node: str(p.number) for p, m in party_members(agreement)} if agreement else {}
    if sender not in numbers:
        raise errors.NotAllowed("Only a compute party says that it destroyed shares.")
    if str(body["announcement"]) == row.facts.get("taken"):
        destroyed = {**row.facts["destroyed"], numbers[sender]: body["unopened"] is True}
        tx.change(row, facts={**row.facts, "destroyed": destroyed}, changed=clock.now())
    return Entry("combination.destroyed", study, sender, study, {"unopened": body["unopened"] is True})


def all_destroyed(facts: Mapping[str, Any], agreement: Agreement) -> bool:
    """Whether every compute party has told what became of the attempt that was taken back, if one was."""
    return not facts.get("taken") or len(facts["destroyed"]) == len(agreement.parties)


def earlier_tables(facts: Mapping[str, Any], ready: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The earlier tables that any contributor names, and those of the last attempt if a party opened it (P6)."""
    named = {name for line in ready.values() for name in line["earlier"]}
    if facts.get("taken") and not all(facts["destroyed"].values()):
        named |= {f"{facts['taken']}/{number}" for number in range(len(facts["contract"]["tables"]))}
    return sorted(named)
