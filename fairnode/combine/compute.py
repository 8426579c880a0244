"""A compute party: a key for each study, shares from the contributors, a run, an output sealed to the home."""

from __future__ import annotations

import base64
import dataclasses
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.combine.announcement import (
    MOST_ATTEMPTS,
    announcement_digest,
    check_announcement,
    follows,
    read_announcement,
)
from fairnode.combine.told import whole
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, Outgoing, commit, post
from fairnode.mpc.dealing import new_receiver_key
from fairnode.mpc.party.start import take_part
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.node import Node
from fairnode.records.rows import Computation, ReceiverSecret, Request, Share
from fairnode.store.database import Transaction
from fairnode.studies.combination import combine_stage, party_members, receiver_key_bytes
from fairnode.studies.document import StudyPlan, read_study_bytes

RUN_SECONDS = 120.0
JOIN_SECONDS = 30.0
PERSONS_A_SECOND = 250
"""Longer lists get more time: five of 100,000 persons send half a gigabyte between three parties."""
LEFTOVERS = ("computations", "deal-*", "open_outputs-*", "mpc_party-*")
"""Folders in the spool that hold keys, shares or counts while a step lasts."""


def party_number(node: Node, agreement: Agreement | None) -> int | None:
    """This node's number as a compute party, or None."""
    if agreement is None:
        return None
    found = [party.number for party, member in party_members(agreement) if member.node == node.iri]
    return found[0] if found else None


def make_receiver_key(node: Node, tx: Transaction, plan: StudyPlan, home: str) -> None:
    """As a compute party, make a key for a study that combines, and tell it to the home node, signed."""
    stage, number = combine_stage(plan), party_number(node, current_in(tx))
    if stage is None or number is None:
        return
    name = f"{plan.hash}#{stage.name}"
    key = new_receiver_key()
    tx.add(ReceiverSecret(name, key.secret, key.public.hex(), clock.now()))
    told = receiver_key_bytes(plan.hash, stage.name, number, key.public.hex())
    body = {
        "stage": stage.name,
        "party": number,
        "key": key.public.hex(),
        "signature": node.keys.signing.sign(told).hex(),
    }
    post(tx, node.desk, Outgoing(home, "receiver-key", plan.hash, body))


def receive_announcement(
    node: Node, tx: Transaction, study: str, sender: str, body: Mapping[str, Any]
) -> Entry:
    """The home node says who contributes and under which run id: as a compute party, wait for the shares."""
    facts = read_announcement(body)
    stage = facts["stage"]
    row = Computation(f"party#{study}#{stage}", study, stage, "gathering", facts, clock.now())
    old = tx.get(Computation, row.id)
    if old is None:
        tx.add(row)
    elif old.state == "over":
        raise errors.Conflict("The combination of this study is over.")
    elif old.state == "gathering" and follows(facts, old.facts):
        _begin_again(tx, old, facts)
    elif announcement_digest(old.facts) != announcement_digest(facts):
        raise errors.Conflict("The home node announced another combination of this study before.")
    elif old.state == "running":
        raise errors.Conflict("The run before this one has not ended here.")
    else:
        tx.change(old, state="gathering", facts=facts, changed=clock.now())
    return Entry("computation.announced", study, sender, study, {"run": facts["run"], "node": node.iri})


def _begin_again(tx: Transaction, old: Computation, facts: dict[str, Any]) -> None:
    """Another attempt, asked for by a contributor (P13): the shares of the one before are destroyed.

    That a contributor signed for it is checked before the run, with all else that was announced.
    """
    for share in tx.find(Share, {"study": old.study}):
        if share.id.startswith(_share_name(old.study, old.stage, int(old.facts["attempt"]), "")):
            tx.remove(share)
    tx.change(old, facts=facts, changed=clock.now())


def _share_name(study: str, stage: str, attempt: int, bound: str, sender: str = "") -> str:
    """Under which name a share is kept: of one attempt, cut for one announcement (`bound`)."""
    return "#".join((study, stage, str(attempt), *((bound, sender) if bound else ("",))))


def receive_share(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A contributor's sealed package: kept once; another one of the same study is refused (P19).

    It is filed under the announcement that it was cut for, and used in a run of that announcement only.
    """
    stage, bound = str(body["stage"]), str(body["announcement"])
    package = base64.b64decode(body["package"], validate=True)
    correction = base64.b64decode(body["correction"], validate=True)
    attempt = int(body.get("attempt", 1))
    if not 1 <= attempt <= MOST_ATTEMPTS:
        raise errors.NotValid("A share came for an attempt that no study has.")
    name = _share_name(study, stage, attempt, bound, sender)
    secret = tx.get(ReceiverSecret, f"{study}#{stage}")
    if secret is None:
        raise errors.NotAllowed("A share came for a study that this compute party does not compute.")
    waiting = tx.get(Computation, f"party#{study}#{stage}")
    if waiting is not None and waiting.state not in ("gathering",):
        raise errors.Conflict("A share came after the computation had started.")
    beginning = _share_name(study, stage, attempt, "")
    same = [s for s in tx.find(Share, {"study": study, "sender": sender}) if s.id.startswith(beginning)]
    old = same[0] if same else None
    fingerprint = digest(package + correction)
    if old is None:
        tx.add(Share(name, study, sender, package, correction, clock.now()))
    elif old.id != name or digest(old.package + old.correction) != fingerprint:
        raise errors.Conflict("A contributor sent two different shares for one study.")
    return Entry("share.received", name, sender, study, {"sha256": fingerprint})


@dataclass(frozen=True)
class Due:
    """A computation whose shares are all here."""

    row: Computation
    plan: StudyPlan
    agreement: Agreement
    number: int
    home: str
    shares: tuple[Share, ...]
    secret: ReceiverSecret


def due_computations(node: Node) -> list[Due]:
    """The computations of this compute party that can start."""
    found = []
    with node.store.read() as reader:
        agreement = current_in(reader)
        number = party_number(node, agreement)
        if agreement is None or number is None:
            return []
        for row in reader.find(Computation, {"state": "gathering"}):
            if not row.id.startswith("party#"):
                continue
            bound, attempt = announcement_digest(row.facts), int(row.facts["attempt"])
            names = [
                _share_name(row.study, row.stage, attempt, bound, c["node"])
                for c in row.facts["contributors"]
            ]
            shares = tuple(s for name in names if (s := reader.get(Share, name)))
            request, secret = (
                reader.get(Request, row.study),
                reader.get(ReceiverSecret, f"{row.study}#{row.stage}"),
            )
            if len(shares) == len(names) and request and secret:
                plan = read_study_bytes(request.document)
                found.append(Due(row, plan, agreement, number, request.home, shares, secret))
    return found


def mark_running(node: Node, due: Due) -> Due:
    """Say that a computation starts: from now on no share is taken any more."""
    row = commit(
        node.desk,
        lambda tx: tx.change(due.row, state="running", changed=clock.now()),
        Entry("computation.started", due.row.study, "node", due.row.study, {"run": due.row.facts["run"]}),
    )
    return dataclasses.replace(due, row=row)


def compute(node: Node, due: Due) -> None:
    """Take part in a run, and send the home node the sealed output or the reason why there is none."""
    folder = node.config.spool / "computations" / secrets.token_hex(8)
    folder.mkdir(mode=0o700, parents=True)
    try:
        check_announcement(due.plan, due.agreement, due.home, due.row.facts)
        outcome = take_part(_job(node, due, folder), spool=node.config.spool)
    except errors.FairnodeError as error:
        outcome = _ended(error.code, due.number, error.what)
    except OSError:
        outcome = _ended("fault", due.number, f"The disk of compute party {due.number} cannot be written.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(node, due, outcome)


def _ended(code: str, party: int, sentence: str) -> dict[str, Any]:
    """The outcome of a run that did not come to its end here."""
    return {"outcome": "ended", "reason": {"code": code, "party": party, "sentence": sentence}}


def report(node: Node, due: Due, outcome: Mapping[str, Any]) -> None:
    """Tell the home node how a run ended; what was counted of it goes into the ledger."""
    body = {
        "stage": due.row.stage,
        "run": due.row.facts["run"],
        "party": due.number,
        "outcome": outcome["outcome"],
        "output": outcome.get("output", ""),
        "reason": outcome.get("reason") or {},
        "statistics": outcome.get("statistics") or {},
    }
    facts = {"run": body["run"], "outcome": body["outcome"], "statistics": whole(body["statistics"])}
    commit(
        node.desk,
        lambda tx: tx.change(due.row, state="reported", changed=clock.now()),
        Entry("computation.ended", due.row.study, "node", due.row.study, facts),
        (Outgoing(due.home, "output", due.row.study, body),),
    )


def _job(node: Node, due: Due, folder: Path) -> dict[str, Any]:
    """The job file of this party (see `fairnode.mpc.party.job`); the shares lie in `folder` for the run only."""
    facts, keys = due.row.facts, node.config.keys
    (folder / "receiver.key").write_text(due.secret.secret.hex(), encoding="ascii")
    inputs = []
    for number, share in enumerate(due.shares):
        member = due.agreement.member(share.sender)
        if member is None:
            raise errors.NotAllowed("A share came from a node that is not in the agreement.")
        (folder / f"{number}.package").write_bytes(share.package)
        (folder / f"{number}.block").write_bytes(share.correction)
        inputs.append(
            {
                "sender": share.sender,
                "key": member.signing,
                "package": str(folder / f"{number}.package"),
                "correction": str(folder / f"{number}.block"),
            }
        )
    parties = []
    for party, member in party_members(due.agreement):
        host, _, port = party.address.rpartition(":")
        parties.append({"host": host, "port": int(port), "fingerprint": member.certificate})
    return {
        "run": facts["run"],
        "party": due.number,
        "certificate": str(keys / "tls.crt"),
        "key": str(keys / "tls.key"),
        "parties": parties,
        "sockets": str(sockets(node)),
        "study": due.row.study,
        "attempt": int(facts["attempt"]),
        "program": {"name": facts["program"]["name"], "digest": facts["program"]["digest"]},
        "parameters": facts["program"]["parameters"],
        "inputs": inputs,
        "receivers": [k["key"] for k in sorted(facts["receiverKeys"], key=lambda k: int(k["party"]))],
        "receiver_key": str(folder / "receiver.key"),
        "recipient": facts["recipient"],
        "seconds": RUN_SECONDS + int(facts["program"]["parameters"].get("bound", 0)) / PERSONS_A_SECOND,
        "join_seconds": JOIN_SECONDS,
    }


def sockets(node: Node) -> Path:
    """The folder through which this node's gateway reaches its party processes."""
    return node.config.spool / "sockets"


def forget(tx: Transaction, study: str) -> int:
    """Destroy shares and keys of a study when its combination is over; how many shares there were."""
    shares = tx.find(Share, {"study": study})
    for share in shares:
        tx.remove(share)
    for secret in [s for s in tx.find(ReceiverSecret) if s.id.startswith(f"{study}#")]:
        tx.remove(secret)
    return len(shares)


def recover(node: Node) -> None:
    """After a restart: a run that this process was in is over; say so, so that the home node starts another.

    What was in clear on the disk for that run, and for a dealing that was cut short, is removed.
    """
    for name in LEFTOVERS:
        for folder in node.config.spool.glob(name):
            shutil.rmtree(folder, ignore_errors=True)
    with node.store.read() as reader:
        agreement = current_in(reader)
        running = [c for c in reader.find(Computation, {"state": "running"}) if c.id.startswith("party#")]
    number = party_number(node, agreement)
    for row in running:
        if agreement is None or number is None:
            continue
        with node.store.read() as reader:
            request = reader.get(Request, row.study)
            secret = reader.get(ReceiverSecret, f"{row.study}#{row.stage}")
        if request is None or secret is None:
            continue
        due = Due(row, read_study_bytes(request.document), agreement, number, request.home, (), secret)
        report(node, due, _ended("lost", number, "The compute party was restarted."))
