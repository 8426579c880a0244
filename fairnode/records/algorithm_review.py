"""What is kept of reviews of algorithms; rows like those of `fairnode.records.rows`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AlgorithmReview:
    """A signed opinion on one image with one manifest (`manifest` is its SHA-256).

    `reproduced`: who gave it made the image from its source, and got this one.
    `node` is the public key (hex) of the node where it was given, `reviewer` an opaque id of that node's own.
    `id` is image#node#reviewer, so that everybody has one opinion on an image.
    """

    id: str
    image: str
    manifest: str
    opinion: str
    note: str
    reproduced: bool
    organisation: str
    node: str
    reviewer: str
    envelope: bytes
    created: str


@dataclass(frozen=True)
class TrustedNode:
    """A node whose people's reviews count here; `id` is its public key (hex)."""

    id: str
    name: str
    created: str
