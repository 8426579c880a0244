"""Where the node keeps the files of its twins."""

from __future__ import annotations

from pathlib import Path

from fairnode.node import Node
from fairnode.records.profile_rows import Twin


def twin_file(node: Node, twin: Twin, form: str) -> Path:
    """The file of a twin in one form (csv or parquet)."""
    return node.config.directory / "twins" / f"{twin.id}-{twin.basis[:16]}.{form}"
