"""The mailbox door: a small application of its own, on its own TLS port, for members of the agreement only."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from flask import Flask, Response, jsonify, request

from fairnode import errors
from fairnode.discovery.harvest import keep_records
from fairnode.network.agreement import Member
from fairnode.network.certificate import server_context
from fairnode.network.heads import keep_head, kept_head, own_head, own_proof
from fairnode.network.joined import check_in_force
from fairnode.network.mailbox import hosted_for, keep_hosted, mark_taken, waiting_for
from fairnode.network.pieces import keep_hosted_only, keep_piece, piece_for
from fairnode.network.signatures import Message, Nonces, check_request
from fairnode.network.watch import Watch, journal
from fairnode.node import Node
from fairnode.records.piece import Piece
from fairnode.records.rows import Dataset, PeerRecord

LARGEST_BODY = 64 * 1024 * 1024
LONGEST_WAIT = 25.0


@dataclass(frozen=True)
class _Door:
    """The node behind the door, and the nonces that were used."""

    node: Node
    nonces: Nonces = field(default_factory=Nonces)

    def caller(self) -> Member:
        """The member that signed this request. Raises `NotKnown`, `Unavailable`."""
        agreement = check_in_force(self.node)
        if request.args.get("agreement") != agreement.digest:
            raise errors.Conflict(
                "Your node holds another agreement, or speaks another version of the protocol, than this one.",
                to_do="Compare on both sides: fairnode network show",
            )
        # The address as it was sent: the framework's own has escapes undone, and the signature covers them.
        url = f"https://{request.host}{request.environ.get('REQUEST_URI', request.full_path)}"
        message = Message(request.method, url, dict(request.headers))

        def key_of(iri: str) -> str | None:
            member = agreement.member(iri)
            return member.signing if member else None

        iri = check_request(message, request.get_data(), key_of, self.nonces)
        member = agreement.member(iri)
        assert member is not None, "its key was found in the agreement"
        return member

    def outbox(self) -> Response:
        """What waits for the caller: this node's messages, or (`of`) those of a member that is hosted here.

        `after` says up to where the caller has everything; `wait` seconds are waited for news.
        """
        caller = self.caller()
        after, of = _number("after"), request.args.get("of", self.node.iri)
        if of == self.node.iri and after:
            mark_taken(self.node, caller.node, after)
        watch = Watch(journal(self.node))
        until = time.monotonic() + min(_number("wait"), LONGEST_WAIT)
        while True:
            watch.look()
            with self.node.store.read() as reader:
                found = (
                    waiting_for(reader, self.node, caller.node, after)
                    if of == self.node.iri
                    else hosted_for(reader, of, caller.node, after)
                )
                head = own_head(self.node, reader) if found else {}
            if found or time.monotonic() >= until:
                return jsonify({"messages": found, "head": head})
            watch.wait(until)

    def leave(self) -> Response:
        """A hosted member leaves messages (and its records) to be fetched here."""
        caller = self.caller()
        told = request.get_json(silent=True)
        if not isinstance(told, dict) or not isinstance(told.get("messages"), list):
            raise errors.NotValid("What was left is not a list of messages.")
        kept = keep_hosted(self.node, caller, told["messages"])
        lacking = keep_hosted_only(self.node, caller, told.get("pieces") or [])
        if isinstance(told.get("records"), list):
            keep_records(self.node, caller.node, told["records"])
        return jsonify({"kept": kept, "missing": lacking, "head": self._witness(caller, told)})

    def leave_piece(self) -> Response:
        """A hosted member leaves a piece of a sealed block, once for all who hold it."""
        caller = self.caller()
        if caller.host != self.node.iri:
            raise errors.NotAllowed("This node does not host your mailbox.")
        told: Any = request.get_json(silent=True)
        try:
            content = base64.b64decode(told["content"], validate=True)
            piece = Piece(str(told["id"]), str(told["study"])[:80], caller.node, content)
        except (TypeError, KeyError, ValueError):
            raise errors.NotValid("What was left is no piece of a block.") from None
        return jsonify({"kept": keep_piece(self.node, piece)})

    def piece(self) -> Response:
        """A piece of a sealed block that is here, or null; for compute parties."""
        caller = self.caller()
        content = piece_for(self.node, check_in_force(self.node), caller, request.args.get("id", ""))
        return jsonify({"content": None if content is None else base64.b64encode(content).decode()})

    def _witness(self, caller: Member, told: dict[str, Any]) -> int:
        """Keep the head of a hosted member, which has no door to be asked at; the size of the one kept."""
        with self.node.store.read() as reader:
            kept = kept_head(reader, caller.node)
        head, first = told.get("head"), told.get("from")
        if not isinstance(head, dict) or (kept is not None and first != kept.size):
            return kept.size if kept else 0
        steps = told.get("proof") or []
        keep_head(self.node, caller, head, lambda *_: [bytes.fromhex(str(step)) for step in steps])
        return int(head["size"])

    def head(self) -> Response:
        """This node's newest signed head."""
        self.caller()
        with self.node.store.read() as reader:
            return jsonify(own_head(self.node, reader))

    def records(self) -> Response:
        """The published records of this node, and of the members that it hosts."""
        self.caller()
        agreement = check_in_force(self.node)
        hosted = {m.node for m in agreement.members if m.host == self.node.iri}
        with self.node.store.read() as reader:
            own = reader.find(Dataset, {"state": "published"})
            others = [r for r in reader.find(PeerRecord) if r.node in hosted and r.state == "published"]
        told = [_record(d.iri, self.node.iri, d.title, d.record) for d in own]
        told += [_record(r.id, r.node, r.title, r.record) for r in others]
        return jsonify({"records": told})

    def consistency(self) -> Response:
        """The proof that this node's log of `first` lines is the beginning of that of `second` lines."""
        self.caller()
        first, second = _number("first"), _number("second")
        with self.node.store.read() as reader:
            return jsonify({"proof": own_proof(self.node, reader, first, second)})


def _record(iri: str, node: str, title: str, record: bytes) -> dict[str, str]:
    """A record as it travels."""
    return {"iri": iri, "node": node, "title": title, "record": record.decode()}


def _number(name: str) -> int:
    """A whole number of the query, 0 when it is not there."""
    value = request.args.get(name, "0")
    return int(value) if value.isdecimal() and len(value) < 12 else 0


def create_door(node: Node) -> Flask:
    """The application of the mailbox door."""
    door, app = _Door(node), Flask("fairnode.mailboxes", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.add_url_rule("/outbox", view_func=door.outbox, methods=["GET"])
    app.add_url_rule("/hosted", view_func=door.leave, methods=["POST"])
    app.add_url_rule("/hosted-piece", view_func=door.leave_piece, methods=["POST"])
    app.add_url_rule("/piece", view_func=door.piece, methods=["GET"])
    app.add_url_rule("/consistency", view_func=door.consistency, methods=["GET"])
    app.add_url_rule("/head", view_func=door.head, methods=["GET"])
    app.add_url_rule("/records", view_func=door.records, methods=["GET"])
    app.register_error_handler(errors.FairnodeError, _problem)
    return app


def _problem(error: errors.FairnodeError) -> tuple[Response, int]:
    """An error for the other node: problem+json without anything internal."""
    told = {
        "type": f"https://w3id.org/fairnode/problem/{error.code}",
        "title": error.title,
        "detail": error.what,
    }
    response = jsonify(told)
    response.mimetype = "application/problem+json"
    return response, error.http_status


def make_door(node: Node) -> wsgi.Server:
    """The server of the mailbox door, ready to be started."""
    server = wsgi.Server(
        (node.config.host, node.config.peer_port), create_door(node), numthreads=24, timeout=40
    )
    server.ssl_adapter = BuiltinSSLAdapter(
        str(node.config.keys / "tls.crt"), str(node.config.keys / "tls.key")
    )
    server.ssl_adapter.context = server_context(node.config.keys)
    server.max_request_body_size = LARGEST_BODY
    return server
