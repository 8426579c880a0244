"""Reads tar streams from strangers: forward only, little memory, and nothing but plain members.

The standard library's reader is friendly (it skips what it does not understand and reads any header into
memory); here a damaged or odd member is an error. Formats: ustar, GNU long names, and pax records for path,
link, size and times. Source: POSIX.1-2024 pax interchange format; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fairnode.errors import NotValid

BLOCK = 512
CHUNK = 1024 * 1024
LARGEST_HEADER = 64 * 1024
LARGEST_NAME, LARGEST_PART = 2048, 255  # what a file system of the engine can hold


class Stream(Protocol):
    """Anything that can be read forward."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; fewer only at the end of what is at hand, none at the end of all."""


class Kind(StrEnum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARDLINK = "hard link"
    DEVICE = "device"
    PIPE = "pipe"


_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"1": Kind.HARDLINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.DEVICE,
    b"4": Kind.DEVICE,
    b"5": Kind.FOLDER,
    b"6": Kind.PIPE,
}


@dataclass(frozen=True)
class Member:
    """One member: its name as written, what it is, the bytes of its content, and where a link leads."""

    name: str
    kind: Kind
    size: int
    link: str
    offset: int

    @property
    def parts(self) -> tuple[str, ...]:
        """The name as path components, without "." and empty ones."""
        return tuple(part for part in self.name.split("/") if part not in ("", "."))


class TarReader:
    """Iterates over the members of a stream; `read` gives the content of the one just met."""

    def __init__(self, stream: Stream, *, most_members: int, most_bytes: int) -> None:
        self._stream = stream
        self._most_members = most_members
        self._most_bytes = most_bytes
        self._position = 0
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        for number, member in enumerate(self._members()):
            if number >= self._most_members:
                raise NotValid(f"The archive has more than {self._most_members} members.")
            yield member

    def read(self, limit: int) -> bytes:
        """The content of the present member. Raises `NotValid` if it is larger than `limit`."""
        if self._left > limit:
            raise NotValid(f"A member of the archive is larger than {limit} bytes.")
        content = self._exactly(self._left)
        self._left = 0
        return content

    def _members(self) -> Iterator[Member]:
        extra: dict[str, str] = {}
        flags: list[bytes] = []
        while (header := self._next_header()) is not None:
            flag = header[156:157]
            size = _number(header[124:136])
            if flag in (b"x", b"L", b"K"):
                told = self._long_header(flag, size)
                if flag in flags or told.keys() & extra.keys():
                    raise _two_readings()
                flags.append(flag)
                extra |= told
                continue
            member = self._member(header, flag, size, extra)
            extra, flags = {}, []
            yield member
            self._skip(self._left + self._padding)
            self._left = self._padding = 0

    def _member(self, header: bytes, flag: bytes, size: int, extra: dict[str, str]) -> Member:
        if flag not in _KINDS:
            raise NotValid(f"The archive has a member of the unknown kind {flag!r}.")
        kind = _KINDS[flag]
        if "size" in extra:
            size = _decimal(extra["size"])
        if kind is not Kind.FILE:
            size = 0
        name = extra.get("path", _name(header))
        parts = name.split("/")
        if not name or "\0" in name or len(_bytes(name)) > LARGEST_NAME:
            raise NotValid("The archive has a member without a proper name.")
        if max(len(_bytes(part)) for part in parts) > LARGEST_PART:
            raise NotValid("The archive has a member without a proper name.")
        if kind is Kind.FILE and not parts[-1]:
            raise _two_readings()  # a folder, to readers that know the oldest tar
        self._left, self._padding = size, -size % BLOCK
        return Member(name, kind, size, extra.get("linkpath", _text(header[157:257])), self._position)

    def _next_header(self) -> bytes | None:
        header = self._exactly(BLOCK)
        if header.strip(b"\0"):
            if _number(header[148:156]) != sum(header[:148]) + 8 * 32 + sum(header[156:]):
                raise NotValid("The archive is damaged: a header has a wrong checksum.")
            return header
        if self._exactly(BLOCK).strip(b"\0"):
            raise NotValid("The archive is damaged: something follows its end mark.")
        self._drain()
        return None

    def _long_header(self, flag: bytes, size: int) -> dict[str, str]:
        if size > LARGEST_HEADER:
            raise NotValid("The archive has a header that is too large.")
        content = self._exactly(size)
        self._skip(-size % BLOCK)
        if flag == b"x":
            return _pax_records(content)
        return {"path" if flag == b"L" else "linkpath": _text(content)}

    def _drain(self) -> None:
        while block := self._stream.read(CHUNK):
            if block.strip(b"\0"):
                raise NotValid("The archive is damaged: something follows its end mark.")
            self._count(len(block))

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._exactly(min(size, CHUNK)))

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size > 0:
            part = self._stream.read(min(size, CHUNK))
            if not part:
                raise NotValid("The archive ends in the middle.")
            self._count(len(part))
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _count(self, size: int) -> None:
        self._position += size
        if self._position > self._most_bytes:
            raise NotValid(f"The archive unpacks to more than {self._most_bytes} bytes.")


def _two_readings() -> NotValid:
    return NotValid("The archive is damaged: it tells two things of one member, and readers would differ.")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _name(header: bytes) -> str:
    name = _text(header[:100])
    posix = header[257:263] == b"ustar\0"  # GNU uses the room of the prefix for something else
    prefix = _text(header[345:500]) if posix else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """An octal number in ASCII, or a binary one marked by its first bit. Raises `NotValid`."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.split(b"\0", 1)[0].strip(b" ")
    if not text:
        return 0
    if any(digit not in b"01234567" for digit in text):
        raise NotValid("The archive is damaged: a header has a number that is none.")
    return int(text, 8)


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotValid("The archive is damaged: a size is not a number.")
    return int(text)


def _pax_records(content: bytes) -> dict[str, str]:
    """The records "<length> <key>=<value><newline>" that matter here. Raises `NotValid` for sparse files."""
    found: dict[str, str] = {}
    while content:
        length, space, _ = content.partition(b" ")
        if not space or not length.isdigit() or len(length) > 6 or not 0 < int(length) <= len(content):
            raise NotValid("The archive is damaged: a long header cannot be read.")
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise NotValid("The archive is damaged: a long header cannot be read.")
        if key.startswith(b"GNU.sparse"):
            raise NotValid("The archive has a sparse file; save it without.")
        name = key.decode("utf-8", "replace")
        if name in found:
            raise _two_readings()
        found[name] = value.decode("utf-8", "surrogateescape")
    return found
