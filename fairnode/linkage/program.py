"""The node program `linkage-keys`: what a study names in the place of an image, and its digest."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

NAME = "linkage-keys"
_HERE = Path(__file__).parent


def digest() -> str:
    """SHA-256 (hex) over the source of everything that a key is made by: the program's version (P1, P18).

    The tables of anyascii are named by their version: nodes with another one make other keys.
    """
    hasher = hashlib.sha256(f"{NAME} anyascii {version('anyascii')}".encode())
    for path in sorted(_HERE.glob("*.py")):
        hasher.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
