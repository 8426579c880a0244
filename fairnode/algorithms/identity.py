"""The name of an image by its content: one digest, the same on every engine and in every archive.

An engine's image ID is no stable name: it changes between engine stores and when an archive is converted.
The ordered `diff_ids` (digests of the unpacked layers) and the settings that decide what runs do not. The
identity is the SHA-256 of their canonical JSON (RFC 8785), written "sha256:<hex>".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class ImageConfig:
    """What decides how an image behaves when it runs; an omitted and an empty setting are the same."""

    os: str
    architecture: str
    diff_ids: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    working_directory: str = ""

    @property
    def identity(self) -> str:
        """The digest that approvals are bound to."""
        return "sha256:" + hashlib.sha256(rfc8785.dumps(asdict(self))).hexdigest()


def image_config(
    facts: Mapping[str, Any], settings: Mapping[str, Any], diff_ids: Sequence[str]
) -> ImageConfig:
    """The config from an image's facts (`os`, `architecture`) and settings, in the words of the OCI image
    specification; engines capitalise the facts in their inspection, so both spellings are read.
    """
    return ImageConfig(
        os=str(facts.get("os") or facts.get("Os") or ""),
        architecture=str(facts.get("architecture") or facts.get("Architecture") or ""),
        diff_ids=tuple(diff_ids),
        entrypoint=tuple(settings.get("Entrypoint") or ()),
        command=tuple(settings.get("Cmd") or ()),
        environment=tuple(settings.get("Env") or ()),
        user=str(settings.get("User") or ""),
        working_directory=str(settings.get("WorkingDir") or ""),
    )
