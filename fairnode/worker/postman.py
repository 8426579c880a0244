"""One thread for each other member: its outbox is fetched as soon as it has news, and handled in order."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fairnode import clock, errors
from fairnode.discovery.harvest import keep_records
from fairnode.ledger.commit import Entry, commit
from fairnode.network.agreement import Agreement, Member
from fairnode.network.heads import keep_head, own_head, own_proof
from fairnode.network.joined import current
from fairnode.network.mailbox import cursor_of, message_from_json, message_to_json, note_peer
from fairnode.network.pieces import keep_piece, own_pieces, wanted_from
from fairnode.network.watch import LOOK_SECONDS, Watch, journal
from fairnode.node import Node
from fairnode.peers.client import PeerClient, door_of
from fairnode.peers.heads import proof_from
from fairnode.records.piece import Piece
from fairnode.records.rows import Dataset, Message
from fairnode.worker.delivery import take_in

LOG = logging.getLogger(__name__)

WAIT_SECONDS = 20
RETRY_SECONDS = 0.5
HEAD_SECONDS = 10.0
HARVEST_EVERY = 30  # rounds with the same member


@dataclass
class Postman:
    """The threads of one worker; they end when `stop` is set."""

    node: Node
    stop: threading.Event
    threads: dict[str, threading.Thread] = field(default_factory=dict)
    clients: dict[str, PeerClient] = field(default_factory=dict)
    heads: dict[str, float] = field(default_factory=dict)  # when the head of each member was kept last
    host_has: int = 0  # the size of our ledger that our host keeps a head of; 0 while we do not know

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

    def _keep_running(
        self, name: str, work: Callable[[Agreement, Member, int], None], member: Member
    ) -> None:
        thread = self.threads.get(name)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._run, args=(work, member), name=name, daemon=True)
            self.threads[name] = thread
            thread.start()

    def _run(self, work: Callable[[Agreement, Member, int], None], member: Member) -> None:
        """Do one member's work until the agreement changes or the worker ends; trouble is waited out."""
        held, rounds = current(self.node), 0
        while not self.stop.is_set():
            agreement = current(self.node)
            if agreement is None or held is None or agreement.digest != held.digest:
                break
            try:
                work(agreement, member, rounds)
                rounds += 1
            except errors.FairnodeError as error:
                LOG.info("%s: %s %s", member.name, error.what, error.internal)
                self._hang_up()
                note_peer(self.node, member.node, trouble=error.what)
                self.stop.wait(RETRY_SECONDS)
        self._hang_up()

    def _fetch(self, agreement: Agreement, member: Member, rounds: int) -> None:
        """Fetch what a member has for us, and now and then its records."""
        client = self._client(door_of(agreement, member))
        if rounds % HARVEST_EVERY == 0 and member.endpoint:
            self._harvest(client, agreement)
        self._fetch_pieces(client, member)
        cursor = cursor_of(self.node, member.node)
        told = client.get("/outbox", after=cursor, wait=WAIT_SECONDS, of=member.node)
        messages = [message_from_json(line, member) for line in told["messages"]]
        if messages and not member.host and self._head_is_due(member):
            keep_head(self.node, member, told.get("head") or {}, partial(proof_from, client))
            self.heads[member.node] = time.monotonic()
        for message in messages:
            self._take_in(member, message)
        if not messages:
            note_peer(self.node, member.node)

    def _fetch_pieces(self, client: PeerClient, member: Member) -> None:
        """Fetch the pieces of a member's blocks that this party still lacks, each kept as it comes."""
        for study, name in wanted_from(self.node, member.node):
            told = client.get("/piece", id=name)["content"]
            if told is None:
                continue  # taken back meanwhile, or not yet with the host
            keep_piece(self.node, Piece(name, study, member.node, base64.b64decode(told, validate=True)))

    def _client(self, door: Member) -> PeerClient:
        """This thread's connection, kept over its rounds."""
        name = threading.current_thread().name
        if name not in self.clients:
            self.clients[name] = PeerClient(self.node, door, WAIT_SECONDS + 10)
        return self.clients[name]

    def _hang_up(self) -> None:
        """Let go of this thread's connection; the next round makes a new one."""
        client = self.clients.pop(threading.current_thread().name, None)
        if client is not None:
            client.close()

    def _head_is_due(self, member: Member) -> bool:
        """Whether a member's head was not kept in the last seconds."""
        return time.monotonic() - self.heads.get(member.node, -HEAD_SECONDS) >= HEAD_SECONDS

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
        watch = Watch(journal(self.node))
        watch.look()
        with self.node.store.read() as reader:
            others = tuple(m.node for m in agreement.members if m.node != self.node.iri)
            waiting = reader.find(Message, {"receiver": others, "taken": ""}, limit=50)
            records = reader.find(Dataset, {"state": "published"}) if rounds % HARVEST_EVERY == 0 else []
        if not waiting and not records:
            watch.wait(time.monotonic() + LOOK_SECONDS)
            return
        pieces = sorted(own_pieces(self.node))
        told = {
            "messages": [message_to_json(m, self.node.iri) for m in waiting],
            "pieces": pieces,
            "records": [
                {"iri": d.iri, "node": self.node.iri, "title": d.title, "record": d.record.decode()}
                for d in records
            ]
            or None,
            **self._shown(),
        }
        if any(m.kind == "share" for m in waiting):
            self._leave_pieces(self._client(host), pieces)
        self.host_has = int(self._client(host).post("/hosted", told).get("head", 0))
        if waiting:
            commit(
                self.node.desk,
                lambda tx: [tx.change(m, taken=clock.now()) for m in waiting],
                Entry("messages.left", host.node, "node", facts={"through": waiting[-1].id}),
            )

    def _leave_pieces(self, client: PeerClient, pieces: list[str]) -> None:
        """Leave with the host those of our own pieces that it lacks: once, for all who will fetch them."""
        lacking = client.post("/hosted", {"messages": [], "pieces": pieces})["missing"]
        for name in sorted(set(lacking) & set(pieces)):
            with self.node.store.read() as reader:
                piece = reader.get(Piece, name)
            if piece is not None:
                content = base64.b64encode(piece.content).decode()
                client.post("/hosted-piece", {"id": name, "study": piece.study, "content": content})

    def _shown(self) -> dict[str, Any]:
        """As a member without a port: our head for the host to keep, with the proof that our ledger only grew."""
        with self.node.store.read() as reader:
            head = own_head(self.node, reader)
            known = 0 < self.host_has <= int(head.get("size", 0))
            proof = own_proof(self.node, reader, self.host_has, int(head["size"])) if known else []
        return {"head": head, "from": self.host_has, "proof": proof}
