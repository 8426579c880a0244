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
from fairnode.combine.announcement import announcement_digest, check_announcement, read_announcement
from fairnode.combine.asking import ask, destroy, nodes_of, tell_destroyed, unheard, with_questions
from fairnode.combine.ending import Run, end, ended, party_number, still
from fairnode.combine.standing import OPEN, START
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, Outgoing, commit, post
from fairnode.mpc.dealing import new_receiver_key
from fairnode.mpc.party.start import WarmParties, take_part
from fairnode.mpc.programs import program
from fairnode.mpc.programs.noisy_sum import NOISY_SUM
from fairnode.network.agreement import Agreement
from fairnode.network.joined import current_in
from fairnode.network.pieces import check_pieces, missing, remove_pieces, write_block
from fairnode.node import Node
from fairnode.records.rows import Computation, ReceiverSecret, Request, Share
from fairnode.store.database import Transaction
from fairnode.studies.combination import combine_stage, party_members, receiver_key_bytes
from fairnode.studies.document import StudyPlan, read_study_bytes
from fairnode.studies.processing import shares_until

JOIN_SECONDS = 30.0


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
    else:
        _announced_again(node, tx, old, facts)
    return Entry("computation.announced", study, sender, study, {"run": facts["run"], "node": node.iri})


def _announced_again(node: Node, tx: Transaction, old: Computation, facts: dict[str, Any]) -> None:
    """Another run with the same shares, or the next attempt after a contributor took back what it had dealt."""
    known, told = "contributors" in old.facts, announcement_digest(facts)
    before = announcement_digest(old.facts) if known else old.facts.get("announcement")
    if old.state == "over":
        raise errors.Conflict("The combination of this study is over.")
    if before == told and old.state == "taken back":
        row = tx.change(old, facts=facts, changed=clock.now())
        if not known:
            tell_destroyed(node, tx, row, unopened=True)
        return
    if before == told and old.state != "gathering" and facts["program"]["name"] == NOISY_SUM.name:
        raise errors.Conflict("Noise over the same numbers is drawn once; two sums would tell more than one.")
    if before == told and old.state in ("running", "computed"):
        raise errors.Conflict("The run before this one has not ended here.")
    if before != told and known and int(facts["attempt"]) <= int(old.facts["attempt"]):
        raise errors.Conflict("The home node announced another combination of this study before.")
    if before != told and known and old.state not in ("taken back", "opened"):
        destroy(tx, old)
        tell_destroyed(node, tx, old, unopened=True)
    tx.change(old, state="gathering", facts=facts, changed=clock.now())


def receive_share(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A contributor's sealed package: kept once; another one of the same attempt is refused (P19).

    It is filed under the announcement that it was cut for, and used in a run of that announcement only. One of a
    later attempt takes the place of the one before.
    """
    stage, bound, attempt = str(body["stage"]), str(body["announcement"]), int(body["attempt"])
    package = base64.b64decode(body["package"], validate=True)
    pieces = check_pieces(body["pieces"])
    # By whichever clock it is older: nobody is believed to be of later than now.
    cut = min(clock.now(), str(body["at"]))
    if tx.get(ReceiverSecret, f"{study}#{stage}") is None:
        raise errors.NotAllowed("A share came for a study that this compute party does not compute.")
    _check_in_time(tx, study, stage, bound)
    name, fingerprint = (
        share_name(study, stage, attempt, bound, sender),
        digest(package + "".join(pieces).encode()),
    )
    old = tx.one(Share, study=study, sender=sender)
    before = int(old.id.split("#")[2]) if old else 0
    if old is not None and before >= attempt:
        if old.id != name or digest(old.package + "".join(old.pieces).encode()) != fingerprint:
            raise errors.Conflict("A contributor sent two different shares for one study.")
        return Entry("share.received", name, sender, study, {"sha256": fingerprint})
    if old is not None:
        tx.remove(old)
        remove_pieces(tx, [old])
    tx.add(Share(name, study, sender, package, pieces, cut))
    return Entry("share.received", name, sender, study, {"sha256": fingerprint})


def _check_in_time(tx: Transaction, study: str, stage: str, bound: str) -> None:
    """Raise `Conflict` when a share comes for a dealing of which the run began, or that was taken back."""
    row = tx.get(Computation, f"party#{study}#{stage}")
    if row is None or row.state == "gathering":
        return
    told = announcement_digest(row.facts) if "contributors" in row.facts else row.facts.get("announcement")
    if row.state == "over" or told == bound or row.state not in ("taken back", "opened"):
        raise errors.Conflict("A share came after the computation had started.")


def share_name(study: str, stage: str, attempt: int, bound: str, sender: str) -> str:
    """The name of a share: by what it was cut for, and by whom."""
    return f"{study}#{stage}#{attempt}#{bound}#{sender}"


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
    """The computations of this compute party that can start: all shares are here, and all still stand."""
    return [due for due in _gathered(node) if not unheard(due.row.facts, START, due.shares)]


def is_expected(node: Node) -> bool:
    """Whether a combination has been announced to this compute party that has not been computed."""
    with node.store.read() as reader:
        rows = reader.find(Computation, {"state": ("gathering", "running")})
    return any(row.id.startswith("party#") for row in rows)


def ask_before_start(node: Node) -> int:
    """Ask the contributors whose shares have lain here for a while; how many computations were asked for."""
    waiting = [(due, unheard(due.row.facts, START, due.shares)) for due in _gathered(node)]
    return sum(ask(node, due.row, START, silent) for due, silent in waiting if silent)


def _gathered(node: Node) -> list[Due]:
    """The announced computations of which every share is here, with its block where this party holds it."""
    found = []
    with node.store.read() as reader:
        agreement = current_in(reader)
        number = party_number(node, agreement)
        if agreement is None or number is None:
            return []
        for row in reader.find(Computation, {"state": "gathering"}):
            if not row.id.startswith("party#"):
                continue
            told, attempt = announcement_digest(row.facts), int(row.facts["attempt"])
            names = [share_name(row.study, row.stage, attempt, told, n) for n in nodes_of(row.facts)]
            shares = tuple(s for name in names if (s := reader.get(Share, name)))
            request, secret = (
                reader.get(Request, row.study),
                reader.get(ReceiverSecret, f"{row.study}#{row.stage}"),
            )
            whole = len(shares) == len(names) and not any(missing(reader, share) for share in shares)
            if whole and request and secret:
                plan = read_study_bytes(request.document)
                found.append(Due(row, plan, agreement, number, request.home, shares, secret))
    return found


def mark_running(node: Node, due: Due) -> Due:
    """Say that a computation starts: from now on no share is taken any more.

    Contributors are asked at once whether what they dealt will still stand when it is opened.
    """

    def change(tx: Transaction) -> tuple[Computation, tuple[Outgoing, ...]]:
        row = still(tx, due.row, "gathering")
        asks = {step: told for step, told in row.facts.get("asks", {}).items() if step != OPEN}
        began = dataclasses.replace(row, facts={**row.facts, "asks": asks})
        facts, questions = with_questions(began, OPEN, nodes_of(row.facts))
        return tx.change(row, state="running", facts=facts, changed=clock.now()), tuple(questions)

    entry = Entry("computation.started", due.row.study, "node", due.row.study, {"run": due.row.facts["run"]})
    row, _ = commit(node.desk, change, entry, lambda _, done: done[1])
    return dataclasses.replace(due, row=row)


def compute(node: Node, due: Due, warm: WarmParties | None = None) -> None:
    """Take part in a run; keep its sealed output until it may be opened, or tell why there is none."""
    folder = node.config.spool / "computations" / secrets.token_hex(8)
    folder.mkdir(mode=0o700, parents=True)
    try:
        check_announcement(due.plan, due.agreement, due.home, due.row.facts)
        outcome = take_part(_job(node, due, folder), spool=node.config.spool, warm=warm)
    except errors.FairnodeError as error:
        outcome = ended(error.code, due.number, error.what)
    except OSError:
        outcome = ended("fault", due.number, f"The disk of compute party {due.number} cannot be written.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    end(node, Run(due.row, due.number, due.home), outcome)


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
        with node.store.read() as reader:
            write_block(reader, share, folder / f"{number}.block")
        inputs.append(
            {
                "sender": share.sender,
                "key": member.signing,
                "package": str(folder / f"{number}.package"),
                "correction": str(folder / f"{number}.block") if share.pieces else None,
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
        "seconds": program(facts["program"]["name"]).seconds(facts["program"]["parameters"]),
        "join_seconds": JOIN_SECONDS,
    }


def sockets(node: Node) -> Path:
    """The folder through which this node's gateway reaches its party processes."""
    return node.config.spool / "sockets"


def forget_expired(node: Node) -> int:
    """As a compute party, delete shares and keys of studies whose time is over, whatever their home says (P18)."""
    with node.store.read() as reader:
        held = {secret.id.partition("#")[0] for secret in reader.find(ReceiverSecret)}
        held |= {share.study for share in reader.find(Share)}
        requests = [reader.get(Request, study) for study in sorted(held)]
    over = [r for r in requests if r and shares_until(read_study_bytes(r.document)) <= clock.now()]
    for request in over:
        _end(node, request.id)
    return len(over)


def _end(node: Node, study: str) -> None:
    """Delete what this compute party holds of a study, and take no more of it."""

    def change(tx: Transaction) -> int:
        for row in tx.find(Computation, {"study": study}):
            if row.id.startswith("party#") and row.state != "over":
                tx.change(row, state="over", facts={}, changed=clock.now())
        return forget(tx, study)

    commit(node.desk, change, lambda n: Entry("shares.expired", study, "node", study, {"shares": n}))


def forget(tx: Transaction, study: str) -> int:
    """Destroy shares and keys of a study when its combination is over; how many shares there were."""
    shares = tx.find(Share, {"study": study})
    for share in shares:
        tx.remove(share)
    remove_pieces(tx, shares, study)
    for secret in [s for s in tx.find(ReceiverSecret) if s.id.startswith(f"{study}#")]:
        tx.remove(secret)
    return len(shares)
