"""Where the folders that travel with the package lie: in the wheel, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from fairnode import errors


def shared(name: str) -> Path:
    """The folder `name` (ontology, algorithms, docker, examples). Raises `NotFound` in a broken install."""
    here = Path(__file__).resolve().parent
    for place in (here / "_share" / name, here.parent / name):
        if place.is_dir():
            return place
    raise errors.NotFound(f"The folder '{name}' of fairnode is missing.", to_do="Install fairnode again.")
