"""The members of an image archive by name: of a tar file or of a directory, without following any link."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from fairnode.algorithms.tar import CHUNK, Kind, Stream, TarReader
from fairnode.errors import Finding, NotValid

MOST_MEMBERS = 2000
MOST_BYTES = 16 << 30
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Blobs(Protocol):
    """The named members of an archive."""

    @property
    def names(self) -> frozenset[str]:
        """All of them."""

    def open(self, name: str) -> Stream:
        """A member's bytes as a stream. Raises `errors.NotValid` when there is none."""

    def read(self, name: str, limit: int) -> bytes:
        """A member's bytes, at most `limit`. Raises `errors.NotValid` when it is larger or missing."""

    def close(self) -> None:
        """Let go of the archive."""


def open_blobs(path: Path) -> Blobs:
    """The members of the archive at `path`. Raises `errors.NotValid` for a damaged or hostile one."""
    if path.is_dir() and not path.is_symlink():
        return _Folder(path)
    return _TarFile(path)


class _Part:
    """A stretch of an open file, read forward without moving anybody else's position."""

    def __init__(self, handle: int, start: int, end: int) -> None:
        self._handle = handle
        self._next = start
        self._end = end

    def read(self, size: int, /) -> bytes:
        block = os.pread(self._handle, max(0, min(size, self._end - self._next)), self._next)
        self._next += len(block)
        return block


class _TarFile:
    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        try:
            self._members = self._index()
        except NotValid:
            self._file.close()
            raise

    def _index(self) -> dict[str, tuple[int, int]]:
        if self._file.read(2) == _GZIP:
            raise NotValid("The archive is compressed.", to_do="Unpack it first: `gunzip image.tar.gz`.")
        self._file.seek(0)
        found: dict[str, tuple[int, int]] = {}
        for member in TarReader(self._file, most_members=MOST_MEMBERS, most_bytes=MOST_BYTES):
            name = "/".join(member.parts)
            wrong = _wrong(member.name, member.kind, name in found)
            if wrong:
                raise NotValid(
                    "The archive has a member it must not have.",
                    to_do="Save the image with `docker save` or `skopeo copy`; both write plain members.",
                    findings=(Finding(repr(member.name[:100]), wrong),),
                )
            if member.kind is Kind.FILE:
                found[name] = (member.offset, member.size)
        return found

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._members)

    def open(self, name: str) -> Stream:
        if name not in self._members:
            raise NotValid(f"The archive lacks {name[:100]!r}, which it refers to.")
        offset, size = self._members[name]
        return _Part(self._file.fileno(), offset, offset + size)

    def read(self, name: str, limit: int) -> bytes:
        return _read(self.open(name), name, limit)

    def close(self) -> None:
        self._file.close()


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[BinaryIO] = []
        names = []
        for folder, _, files in os.walk(path, followlinks=False):
            names += [str(Path(folder, name).relative_to(path)) for name in files]
            if len(names) > MOST_MEMBERS:
                raise NotValid(f"The directory has more than {MOST_MEMBERS} files.")
        self._names = frozenset(names)

    @property
    def names(self) -> frozenset[str]:
        return self._names

    def open(self, name: str) -> Stream:
        if name not in self._names:
            raise NotValid(f"The directory lacks {name[:100]!r}, which it refers to.")
        try:
            handle = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise NotValid(f"{name[:100]!r} is no plain file.") from error
        file = os.fdopen(handle, "rb", buffering=0)
        self._open.append(file)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotValid(f"{name[:100]!r} is no plain file.")
        return _Part(handle, 0, os.fstat(handle).st_size)

    def read(self, name: str, limit: int) -> bytes:
        return _read(self.open(name), name, limit)

    def close(self) -> None:
        for file in self._open:
            file.close()


def _wrong(name: str, kind: Kind, is_double: bool) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        return "leads out of the archive"
    if kind not in (Kind.FILE, Kind.FOLDER):
        return f"is a {kind}"
    return "is there twice" if is_double else ""


def _read(stream: Stream, name: str, limit: int) -> bytes:
    content = b""
    while block := stream.read(limit + 1 - len(content)):
        content += block
    if len(content) > limit:
        raise NotValid(f"{name[:100]!r} is larger than {limit} bytes.")
    return content


class LayerStream:
    """A layer as it unpacks (plain or gzip), with the digest and size of what was read so far."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._first = source.read(4)
        if self._first == _ZSTD:
            raise NotValid("A layer is compressed with zstd, which this node does not unpack.",
                           to_do="Save the image with `docker save`, or with gzip layers.")  # fmt: skip
        self._inflate = zlib.decompressobj(31) if self._first[:2] == _GZIP else None
        self.size = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes of the unpacked layer; none at its end. Raises `errors.NotValid`."""
        block = self._plain(size) if self._inflate is None else self._inflated(size)
        self._hash.update(block)
        self.size += len(block)
        return block

    def digest(self) -> str:
        """The digest of all that was read: the layer's diff_id once it was read to the end."""
        return "sha256:" + self._hash.hexdigest()

    def _plain(self, size: int) -> bytes:
        if self._first:
            block, self._first = self._first[:size], self._first[size:]
            return block
        return self._source.read(size)

    def _inflated(self, size: int) -> bytes:
        assert self._inflate is not None
        try:
            while True:
                packed = self._inflate.unconsumed_tail or self._plain(CHUNK // 16)
                block = self._inflate.decompress(packed, size)
                if block:
                    return block
                if self._inflate.eof:
                    return self._after_end()
                if not packed:
                    raise NotValid("A layer ends in the middle.")
        except zlib.error as error:
            raise NotValid("A layer is damaged: it cannot be unpacked.") from error

    def _after_end(self) -> bytes:
        assert self._inflate is not None
        if self._inflate.unused_data or self._plain(1):
            raise NotValid("A layer is damaged: something follows its end.")
        return b""
