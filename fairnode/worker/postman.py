"""One thread for each other member: its outbox is fetched as soon as it has news, and handled in order."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from fairnode import clock, errors
from fairnode.discovery.harvest import keep_records
from fairnode.keys import verify
from fairnode.ledger.commit import Entry, commit, head_bytes
from fairnode.ledger.merkle import check_consistency
from fairnode.network.agreement import Agreement, Member
from fairnode.network.joined import current
from fairnode.network.mailbox import cursor_of, message_from_json, message_to_json, note_peer
from fairnode.node import Node
from fairnode.peers.client import PeerClient, door_of
from fairnode.records.rows import Dataset, Message, PeerHead
from fairnode.worker.delivery import take_in

LOG = logging.getLogger(__name__)

WAIT_SECONDS = 20
RETRY_SECONDS = 0.5
HARVEST_EVERY = 30  # rounds with the same member
TALK = ("study", "cancel", "follow", "release")


@dataclass
class Postman:
    """The threads of one worker; they end when `stop` is set."""

    node: Node
    stop: threading.Event
    threads: dict[str, threading.Thread] = field(default_factory=dict)

    def look_after(self) -> None:
        """Start a thread for every member of the agreement that has none yet (or none any more)."""
        agreement = current(self.node)
        if agreement is None:
            return
        me = agreement.member(self.node.iri)
        for member in agreement.members:
            if member.node != self.node.iri:
                self._keep_running(f"from {member.node}", self._fetch, member)
        if me is not None and me.host:
            host = agreement.member(me.host)
            if host is not None:
                self._keep_running("to host", self._leave, host)

    def _keep_running(self, name: str, work: object, member: Member) -> None:
        thread = self.threads.get(name)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._run, args=(work, member), name=name, daemon=True)
            self.threads[name] = thread
            thread.start()

    def _run(self, work: object, member: Member) -> None:
        """Do one member's work until the agreement changes or the worker ends; trouble is waited out."""
        held, rounds = current(self.node), 0
        while not self.stop.is_set():
            agreement = current(self.node)
            if agreement is None or held is None or agreement.digest != held.digest:
                return
            try:
                work(agreement, member, rounds)  # type: ignore[operator]
                rounds += 1
            except errors.FairnodeError as error:
                LOG.info("%s: %s %s", member.name, error.what, error.internal)
                note_peer(self.node, member.node, trouble=error.what)
                self.stop.wait(RETRY_SECONDS)

    def _fetch(self, agreement: Agreement, member: Member, rounds: int) -> None:
        """Fetch what a member has for us, and now and then its records."""
        client = PeerClient(self.node, door_of(agreement, member), WAIT_SECONDS + 10)
        try:
            if rounds % HARVEST_EVERY == 0 and member.endpoint:
                self._harvest(client, agreement)
            cursor = cursor_of(self.node, member.node)
            told = client.get("/outbox", after=cursor, wait=WAIT_SECONDS, of=member.node)
            messages = [message_from_json(line, member) for line in told["messages"]]
            if messages and not member.host:
                keep_head(self.node, member, told.get("head") or {}, client)
        finally:
            client.close()
        for message in messages:
            self._take_in(member, message)
        if rounds == 0 and not messages:
            note_peer(self.node, member.node)

    def _take_in(self, member: Member, message: Message) -> None:
        """Handle one message; it is ticked off afterwards, so a crash between the two only repeats it."""
        if message.receiver != self.node.iri:
            raise errors.NotValid("A message for another node was in the mailbox.")
        take_in(self.node, member.node, message)
        note_peer(self.node, member.node, cursor=message.id)

    def _harvest(self, client: PeerClient, agreement: Agreement) -> None:
        """Keep what a member publishes, its own and that of members it hosts."""
        told = client.get("/records")["records"]
        by_node: dict[str, list[dict[str, str]]] = {}
        for record in told:
            by_node.setdefault(str(record["node"]), []).append(record)
        for publisher, records in by_node.items():
            if agreement.member(publisher) is not None and publisher != self.node.iri:
                keep_records(self.node, publisher, list(records))

    def _leave(self, agreement: Agreement, host: Member, rounds: int) -> None:
        """As a member without a port: leave with the host what others are to fetch, and our records."""
        with self.node.store.read() as reader:
            others = tuple(m.node for m in agreement.members if m.node != self.node.iri)
            waiting = reader.find(Message, {"receiver": others, "taken": ""}, limit=50)
            records = reader.find(Dataset, {"state": "published"}) if rounds % HARVEST_EVERY == 0 else []
        if not waiting and not records:
            self.stop.wait(0.1)
            return
        client = PeerClient(self.node, host)
        try:
            client.post(
                "/hosted",
                {
                    "messages": [message_to_json(m, self.node.iri) for m in waiting],
                    "records": [
                        {"iri": d.iri, "node": self.node.iri, "title": d.title, "record": d.record.decode()}
                        for d in records
                    ]
                    or None,
                },
            )
        finally:
            client.close()
        if waiting:
            commit(
                self.node.desk,
                lambda tx: [tx.change(m, taken=clock.now()) for m in waiting],
                Entry("messages.left", host.node, "node", facts={"through": waiting[-1].id}),
            )


def keep_head(node: Node, member: Member, told: dict[str, object], client: PeerClient) -> None:
    """Keep the signed head that a member shows, after proof that nothing below the last one was rewritten.

    Raises `NotAllowed`, with a ledger line, when the member's log is not the one it showed before.
    """
    try:
        size, root, at = int(str(told["size"])), str(told["root"]), str(told["at"])
        signature = bytes.fromhex(str(told["signature"]))
    except (KeyError, ValueError):
        raise errors.NotValid(f"The node of {member.name} shows no signed head.") from None
    if not verify(member.signing, signature, head_bytes(size, root, at)):
        raise errors.NotValid(f"The head that the node of {member.name} shows is not signed by it.")
    head = PeerHead(f"{member.node}#{size}", member.node, size, root, at, signature.hex())
    with node.store.read() as reader:
        known = reader.find(PeerHead, {"node": member.node}, order="-size", limit=1)
        same = reader.get(PeerHead, head.id)
    if same is not None and same.root == root:
        return
    if same is not None or (known and not _grew(known[0], head, client)):
        commit(
            node.desk,
            lambda _: None,
            Entry("peer.rewrote-its-ledger", member.node, "node", facts={"size": size, "root": root}),
        )
        raise errors.NotAllowed(f"The ledger of the node of {member.name} is not the one it showed before.")
    commit(node.desk, lambda tx: tx.add(head), Entry("peer.head", member.node, "node", facts={"size": size}))


def _grew(before: PeerHead, head: PeerHead, client: PeerClient) -> bool:
    """Whether the member proves that its log only grew between the two heads."""
    if head.size < before.size:
        return False
    told = client.get("/consistency", first=before.size, second=head.size)
    proof = [bytes.fromhex(str(step)) for step in told["proof"]]
    roots = (bytes.fromhex(before.root), bytes.fromhex(head.root))
    return check_consistency((before.size, head.size), roots, proof)
