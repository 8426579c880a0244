"""Runs a command of the node as it is, and kills its process, as by kill -9, at one of its commits.

    python -m tests.spine.dying serve|work --dir DIRECTORY       with DIE_AT="before|after KIND-OF-LINE"

KIND-OF-LINE is the ledger line that the transaction writes; "before" is the last moment before the commit,
"after" the first moment after it.
"""

from __future__ import annotations

import os
import signal

from sqlalchemy import Connection, Engine, event

from fairnode.cli import main

WHEN, KIND = os.environ["DIE_AT"].split()
NEWEST = "SELECT kind FROM ledger ORDER BY id DESC LIMIT 1"
reached: list[Connection] = []


@event.listens_for(Engine, "commit")
def committing(connection: Connection) -> None:
    """The transaction is whole, and not yet written."""
    if not connection.get_execution_options().get("write"):
        return
    kind = connection.exec_driver_sql(NEWEST).scalar()
    if kind == KIND and WHEN == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == KIND:
        reached.append(connection)


@event.listens_for(Engine, "checkin")
def handed_back(*_: object) -> None:
    """The transaction is written, and nobody knows yet."""
    if reached:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
