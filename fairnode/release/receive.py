"""A release arrives at the study's home node: kept as it was signed, and the study's line is closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fairnode import errors
from fairnode.keys import canonical, digest
from fairnode.ledger.commit import Entry
from fairnode.records.result_json import tables_from_json
from fairnode.records.rows import Release
from fairnode.store.database import Transaction
from fairnode.studies.follow import receive_follow


def release_bytes(release: Release, node: str) -> bytes:
    """What the signature of a release covers: whose it is, of which study and dataset, and its content."""
    return canonical(
        {
            "type": "fairnode.release/1",
            "node": node,
            "release": release.id,
            "study": release.study,
            "stage": release.stage,
            "dataset": release.dataset,
            "sha256": release.sha256,
            "created": release.created,
        }
    )


def receive_release(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """Keep a release of our study (once), and close its line.

    Raises `NotValid` when its table cannot be read, `NotAllowed` when another node's visit is meant.
    """
    table = str(body["table"]).encode()
    release = Release(
        id=str(body["release"]),
        study=study,
        stage=str(body["stage"]),
        dataset=str(body["dataset"]),
        lineage="",
        table=table,
        sha256=digest(table),
        signature=str(body["signature"]),
        facts={},
        created=str(body["created"]),
    )
    try:
        tables_from_json(json.loads(table))
    except ValueError as error:
        raise errors.NotValid("The release that a node sent is not JSON.") from error
    told = receive_follow(tx, study, sender, body)
    if tx.get(Release, release.id) is None:
        tx.add(release)
    return Entry(
        "release.received", release.id, sender, study, {"line": told.subject, "sha256": release.sha256}
    )
