"""One table for each record of `fairnode.records.rows`; the columns follow the dataclass fields."""

from __future__ import annotations

import dataclasses
import typing
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from fairnode.records import profile_rows, rows
from fairnode.records.algorithm_review import AlgorithmReview, TrustedNode
from fairnode.records.charge import Charge
from fairnode.records.piece import Piece
from fairnode.records.review import Rerun, Review

METADATA = MetaData()

_TYPES: dict[Any, type[Any]] = {str: Text, int: Integer, bool: Boolean, bytes: LargeBinary}


def _column(record: type, field: dataclasses.Field[Any], kind: Any) -> Column[Any]:
    """The column of one field: JSON for dicts and lists, text for enums."""
    if typing.get_origin(kind) in (dict, list):
        column_type: type[Any] = JSON
    elif isinstance(kind, type) and issubclass(kind, Enum):
        column_type = Text
    else:
        column_type = _TYPES[kind]
    numbered = record in (rows.Message,)
    return Column(
        field.name,
        column_type,
        primary_key=field.name == "id",
        autoincrement=numbered and field.name == "id",
        nullable=False,
    )


def _table(name: str, record: type, *indexes: tuple[str, ...]) -> Table:
    """The table `name` for `record`, with an index for each tuple of columns."""
    kinds = typing.get_type_hints(record)
    columns = [_column(record, field, kinds[field.name]) for field in dataclasses.fields(record)]
    extra = [Index(f"{name}_by_{'_'.join(columns)}", *columns) for columns in indexes]
    return Table(name, METADATA, *columns, *extra)


TABLES: dict[type, Table] = {
    rows.Person: _table("people", rows.Person, ("username",)),
    rows.PersonKey: _table("person_keys", rows.PersonKey, ("person",)),
    rows.Token: _table("tokens", rows.Token, ("token_hash",), ("person",)),
    rows.Dataset: _table("datasets", rows.Dataset, ("iri",)),
    rows.DatasetVersion: _table("dataset_versions", rows.DatasetVersion, ("dataset",)),
    rows.Algorithm: _table("algorithms", rows.Algorithm, ("name",)),
    rows.Study: _table("studies", rows.Study, ("state",), ("requester",)),
    rows.Follow: _table("follows", rows.Follow, ("study",)),
    rows.Request: _table("requests", rows.Request),
    rows.Visit: _table("visits", rows.Visit, ("state",), ("study",)),
    rows.Approval: _table("approvals", rows.Approval, ("visit",)),
    rows.Quarantine: _table("quarantines", rows.Quarantine),
    Review: _table("reviews", Review, ("visit",)),
    Rerun: _table("reruns", Rerun, ("visit",)),
    Charge: _table("charges", Charge, ("lineage",)),
    AlgorithmReview: _table("algorithm_reviews", AlgorithmReview, ("image",)),
    TrustedNode: _table("trusted_nodes", TrustedNode),
    rows.Release: _table("releases", rows.Release, ("study",), ("lineage",)),
    rows.Message: _table("outbox", rows.Message, ("receiver",), ("taken",)),
    rows.Received: _table("received", rows.Received),
    rows.Session: _table("sessions", rows.Session),
    rows.Repeat: _table("repeats", rows.Repeat),
    rows.Earlier: _table("earlier", rows.Earlier, ("lineage",)),
    rows.Computation: _table("computations", rows.Computation, ("study",), ("state",)),
    rows.ReceiverSecret: _table("receiver_secrets", rows.ReceiverSecret),
    rows.Share: _table("shares", rows.Share, ("study",)),
    Piece: _table("pieces", Piece, ("study",), ("sender",)),
    rows.AgreementCopy: _table("agreements", rows.AgreementCopy, ("state",)),
    rows.Peer: _table("peers", rows.Peer),
    rows.Hosted: _table("hosted", rows.Hosted, ("sender", "number")),
    rows.PeerRecord: _table("peer_records", rows.PeerRecord, ("node",)),
    rows.LedgerLine: _table("ledger", rows.LedgerLine, ("study",), ("subject",)),
    rows.Head: _table("heads", rows.Head),
    rows.PeerHead: _table("peer_heads", rows.PeerHead, ("node",)),
    profile_rows.KeptProfile: _table("profiles", profile_rows.KeptProfile, ("dataset",)),
    profile_rows.Twin: _table("twins", profile_rows.Twin),
    profile_rows.Rehearsal: _table("rehearsals", profile_rows.Rehearsal),
}

# Kinds whose state may change only as `fairnode.records.states.TRANSITIONS` says.
STATEFUL: dict[type, str] = {rows.Study: "study", rows.Visit: "visit", rows.Approval: "approval"}

# Rows that come and go without a ledger line: log-ins, remembered answers, what other nodes can be asked
# for again, what an algorithm did on synthetic rows, and the ledger itself.
UNGUARDED: frozenset[type] = frozenset(
    {
        rows.Session,
        rows.Repeat,
        rows.Peer,
        rows.Hosted,
        Piece,
        rows.PeerRecord,
        profile_rows.Rehearsal,
        rows.LedgerLine,
        rows.Head,
    }
)
