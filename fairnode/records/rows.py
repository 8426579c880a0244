"""What a node keeps: one frozen dataclass for each table of `fairnode.store`.

Times are UTC in ISO 8601 with seconds and `Z`. `body` fields hold JSON objects. Bytes are kept as they
were received, because hashes and signatures are over bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fairnode.records.states import ApprovalState, StudyState, VisitState


class Role(StrEnum):
    """What a person may do at this node."""

    RESEARCHER = "researcher"
    AUTHOR = "author"
    CUSTODIAN = "custodian"
    COUNSEL = "counsel"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Person:
    """Someone with an account at this node. `id` is opaque: it is what the ledger holds (P21)."""

    id: str
    username: str
    name: str
    password_hash: str
    roles: list[str]
    active: bool
    created: str


@dataclass(frozen=True)
class PersonKey:
    """A key with which a person signs. `kind` is `software` now; `passkey` has its place already.

    `public` is the raw key in hex; `sealed` is the private key sealed under the person's password
    (empty for a passkey, and for a key that the person keeps in a file of their own).
    """

    id: str
    person: str
    kind: str
    public: str
    sealed: bytes
    created: str
    revoked: str = ""


@dataclass(frozen=True)
class Token:
    """An API token: only its hash, and the person's signing key sealed under the token itself."""

    id: str
    person: str
    token_hash: str
    sealed: bytes
    label: str
    created: str
    expires: str
    revoked: str = ""


@dataclass(frozen=True)
class Dataset:
    """A dataset: its record as received (Turtle), and where its data are (`source`, never published)."""

    id: str
    iri: str
    title: str
    record: bytes
    sha256: str
    source: dict[str, Any]
    version: int
    state: str
    lineage: str
    created: str
    changed: str


@dataclass(frozen=True)
class DatasetVersion:
    """An earlier or the present record of a dataset, kept as received."""

    id: str
    dataset: str
    version: int
    record: bytes
    sha256: str
    created: str


@dataclass(frozen=True)
class Algorithm:
    """An algorithm known here, by the identity of its image (digest over config and layers)."""

    id: str
    name: str
    version: str
    title: str
    manifest: bytes
    sha256: str
    image: str
    author: str
    state: str
    created: str


@dataclass(frozen=True)
class Study:
    """A study of this home node: `id` is the hash of `document`, its canonical JSON-LD."""

    id: str
    urn: str
    title: str
    document: bytes
    requester: str
    state: StudyState
    created: str
    expires: str
    changed: str
    follows: str = ""


@dataclass(frozen=True)
class Follow:
    """What the home node knows of one visit of its study: what outsiders may see, no more (P8)."""

    id: str
    study: str
    node: str
    dataset: str
    stage: str
    state: str
    sentence: str
    release: str
    changed: str


@dataclass(frozen=True)
class Request:
    """A study that addresses this node, kept as received, with the node that sent it."""

    id: str
    document: bytes
    home: str
    received: str


@dataclass(frozen=True)
class Visit:
    """The run of a stage of a study on one dataset of this node."""

    id: str
    study: str
    stage: str
    dataset: str
    algorithm: str
    state: VisitState
    sentence: str
    internal: str
    created: str
    changed: str
    expires: str
    deadline: str = ""
    snapshot: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Approval:
    """One signed decision on one visit. `person` is empty where the policy granted by itself."""

    id: str
    visit: str
    person: str
    role: str
    decision: str
    content: str
    envelope: bytes
    state: ApprovalState
    note: str
    created: str
    expires: str


@dataclass(frozen=True)
class Quarantine:
    """What a container wrote, and what the gate made of it: for this node's people only."""

    id: str
    result: bytes
    sha256: str
    verdict: dict[str, Any]
    created: str


@dataclass(frozen=True)
class Release:
    """What left: the gated table as canonical JSON, signed by the node."""

    id: str
    study: str
    stage: str
    dataset: str
    lineage: str
    table: bytes
    sha256: str
    signature: str
    facts: dict[str, Any]
    created: str


@dataclass(frozen=True)
class Message:
    """A signed, numbered entry in this node's outbox for one receiver (IRI of a node)."""

    id: int
    receiver: str
    kind: str
    study: str
    body: bytes
    signature: str
    created: str
    taken: str = ""


@dataclass(frozen=True)
class Received:
    """A message that was handled, so that a second delivery changes nothing."""

    id: str
    sender: str
    number: int
    kind: str
    created: str


@dataclass(frozen=True)
class Session:
    """A log-in in a browser; `id` is the hash of the cookie."""

    id: str
    person: str
    csrf: str
    created: str
    expires: str


@dataclass(frozen=True)
class Repeat:
    """The answer given under an idempotency key, so that a repeated POST gets the same one."""

    id: str
    request: str
    status: int
    answer: bytes
    created: str


@dataclass(frozen=True)
class LedgerLine:
    """One line of the append-only ledger: canonical JSON and its leaf hash (RFC 9162)."""

    id: int
    kind: str
    subject: str
    study: str
    body: bytes
    leaf: str


@dataclass(frozen=True)
class Head:
    """The signed root over the first `id` lines. `peaks` lets the next line be added without the others."""

    id: int
    root: str
    peaks: list[str]
    at: str
    signature: str


@dataclass(frozen=True)
class PeerHead:
    """A head that another node showed us; kept for ever, so that it cannot rewrite what lies below it."""

    id: str
    node: str
    size: int
    root: str
    at: str
    signature: str


@dataclass(frozen=True)
class AgreementCopy:
    """An agreement (Turtle as received) with every member's signature; `id` is its hash."""

    id: str
    document: bytes
    signatures: dict[str, str]
    state: str
    created: str


@dataclass(frozen=True)
class Peer:
    """What this node knows of another member: how far its outbox was read, and when it last answered."""

    id: str
    cursor: int
    seen: str
    trouble: str


@dataclass(frozen=True)
class Hosted:
    """A message kept for a member without an inbound port; `id` is sender#number."""

    id: str
    sender: str
    number: int
    receiver: str
    kind: str
    study: str
    body: bytes
    signature: str
    created: str


@dataclass(frozen=True)
class PeerRecord:
    """The record of a dataset at another node, as received; `state` is published or gone."""

    id: str
    node: str
    title: str
    record: bytes
    sha256: str
    state: str
    changed: str


@dataclass(frozen=True)
class Earlier:
    """What a node remembers of a release over data of its own, local or combined; it never travels."""

    id: str
    lineage: str
    facts: dict[str, Any]
    created: str


@dataclass(frozen=True)
class Computation:
    """A combination as one node sees it; `id` begins with its part: home, contributor or party."""

    id: str
    study: str
    stage: str
    state: str
    facts: dict[str, Any]
    changed: str


@dataclass(frozen=True)
class ReceiverSecret:
    """A compute party's key for one study (`id` is study#stage); removed when the combination is over."""

    id: str
    secret: bytes
    public: str
    created: str


@dataclass(frozen=True)
class Share:
    """A contributor's sealed package at a compute party; removed when the combination is over.

    `pieces` are the SHA-256 of those of its correction block, if this party holds that.
    """

    id: str
    study: str
    sender: str
    package: bytes
    pieces: list[str]
    created: str
