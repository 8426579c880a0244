"""A file as it was when reading began, and the certainty that it still is."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairnode.errors import Conflict, Unavailable

BLOCK = 1 << 20


@dataclass(frozen=True)
class Snapshot:
    """What a file looked like before reading: its digest, and whether its bytes are ASCII or UTF-8."""

    sha256: str
    ascii: bool
    utf8: bool


@contextmanager
def unchanged(path: str) -> Iterator[Snapshot]:
    """Look at a file, let it be read, and raise `Conflict` when it was changed meanwhile."""
    try:
        before = _state(path)
        yield _look(path)
        after = _state(path)
    except OSError as wrong:
        raise Unavailable(
            "The data file of this dataset cannot be read.",
            to_do="The operator checks that the file is where the source says and may be read.",
            internal=str(wrong),
        ) from None
    if before != after:
        raise Conflict(
            "The data file was changed while it was being read.",
            to_do="Wait until the export is finished, then start again.",
            internal=path,
        )


def _state(path: str) -> tuple[int, int, int]:
    """What changes when a file does."""
    now = Path(path).stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns)


def _look(path: str) -> Snapshot:
    """Read the file once, whole."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    ascii_only = utf8 = True
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            ascii_only = ascii_only and block.isascii()
            utf8 = utf8 and _decodes(decoder, block)
    return Snapshot(digest.hexdigest(), ascii_only, utf8 and _decodes(decoder, b"", final=True))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
