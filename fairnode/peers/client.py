"""Calls to one member: its outbox, its records, its head; and to the host of a member without a port."""

from __future__ import annotations

import json
import ssl
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx2

from fairnode import errors
from fairnode.network.agreement import Agreement, Member
from fairnode.network.certificate import client_context
from fairnode.network.joined import check_in_force
from fairnode.network.signatures import Message, sign_request
from fairnode.node import Node

LARGEST_ANSWER = 64 * 1024 * 1024
CONNECT_SECONDS = 3.0


class PeerClient:
    """One connection to a member's mailbox door (its own, or that of its host); a context manager."""

    def __init__(self, node: Node, door: Member, timeout: float = 30.0) -> None:
        self._node, self._door = node, door
        self._http = httpx2.Client(
            verify=client_context(door.certificate),
            timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON answer of a signed GET. Raises `Unavailable` when the node does not answer or agree."""
        return self._call("GET", path, b"", **query)

    def post(self, path: str, told: Any) -> Any:
        """The JSON answer of a signed POST of JSON."""
        return self._call("POST", path, json.dumps(told).encode())

    def _call(self, method: str, path: str, body: bytes, **query: str | int) -> Any:
        agreement = check_in_force(self._node).digest
        target = f"{path}?{urlencode({**query, 'agreement': agreement})}"
        message = Message(method, f"{self._door.endpoint}{target}", {"Content-Type": "application/json"})
        sign_request(message, body, self._node.iri, self._node.keys.signing)
        try:
            with self._http.stream(method, message.url, content=body, headers=message.headers) as answer:
                content = b""
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        raise _trouble(self._door, "answers with more than is agreed")
            told = json.loads(content)
        except (httpx2.HTTPError, ssl.SSLError, OSError) as error:
            raise _trouble(self._door, "does not answer", str(error)) from error
        except ValueError as error:
            raise _trouble(self._door, "answers with something that is not JSON") from error
        if answer.status_code != 200:
            why = str(told.get("detail", ""))[:300] if isinstance(told, dict) else ""
            raise _trouble(self._door, f"refuses: {why}", str(told)[:500])
        return told


def _trouble(member: Member, what: str, internal: str = "") -> errors.Unavailable:
    """Something is wrong with a member, as the operator reads it."""
    return errors.Unavailable(f"The node of {member.name} {what}.", internal=internal)


def door_of(agreement: Agreement, member: Member) -> Member:
    """Whose door to knock at for a member: its own, or its host's. Raises `Unavailable` when there is none."""
    if member.endpoint:
        return member
    host = agreement.member(member.host)
    if host is None or not host.endpoint:
        raise errors.Unavailable(f"The node of {member.name} cannot be reached, and nobody hosts it.")
    return host
