"""Child job: brings the store of statements (for SPARQL) up to date with the records.

In: `{"directory"}`, the node's. Out: `{"changed"}`: how many records were written anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairnode.config import load_config
from fairnode.discovery.place import WORDS
from fairnode.discovery.statements import bring_up_to_date
from fairnode.jobs.process import main
from fairnode.store.database import open_store
from fairnode.store.search_index import SearchIndex


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Bring it up to date. Raises `Unavailable` when another process is at it for long."""
    config = load_config(Path(job["directory"]))
    database = open_store(config.database)
    try:
        return {"changed": bring_up_to_date(config.index, SearchIndex(config.index / WORDS), database)}
    finally:
        database.close()


if __name__ == "__main__":
    main(run)
