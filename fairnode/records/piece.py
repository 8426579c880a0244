"""Correction blocks as they lie at a node: in sealed pieces (P13)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A piece of a sealed correction block, `id` its SHA-256: at its sender, a host, or parties that hold it."""

    id: str
    study: str
    sender: str
    content: bytes
