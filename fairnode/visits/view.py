"""Making the harmonised view of a visit in a child process, and taking it away again."""

from __future__ import annotations

import shutil
from typing import Any

from fairnode import errors
from fairnode.child import run_child
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.dataset import to_json
from fairnode.studies.fit import compile_view, reads_identifiers
from fairnode.visits.context import VisitContext, person_secret


def make_view(context: VisitContext) -> dict[str, object]:
    """Write view and companion into the visit's folder; rows, persons and the hash of the view.

    Raises what the job raises: a missing column, unreadable dates, no rows, ... `Unavailable` when the
    disk is full.
    """
    try:
        shutil.rmtree(context.folder, ignore_errors=True)
        context.folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise errors.Unavailable("The node's disk cannot be written.", internal=str(error)) from error
    return run_child(
        "view",
        view_job(context) | {"companion": str(context.companion_path), "salt": person_secret(context)},
        spool=context.node.config.spool,
        seconds=1800.0,
        spare=context.node.spare,
    )


def view_job(context: VisitContext) -> dict[str, Any]:
    """The job that makes the view of a visit; with names and keys for a program of the node itself only."""
    return {
        "dataset": to_json(context.description.dataset),
        "source": context.dataset.source,
        "view": to_json(compile_view(context.plan, context.description, context.manifest)),
        "identifiers": reads_identifiers(context.manifest),
        "output": str(context.view_path),
    }


def delete_view(node: Node, visit_id: str, study: str) -> None:
    """Take the plaintext view from the disk; a ledger line says so. Nothing happens when there is none."""
    folder = node.config.spool / "visits" / visit_id
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)  # the round that tidies up may be at it, too
        if folder.exists():
            raise errors.Unavailable(
                "The view of a visit could not be deleted.",
                to_do="The operator looks after the node's spool directory.",
            )
        commit(node.desk, lambda _: None, Entry("view.deleted", visit_id, "node", study))
