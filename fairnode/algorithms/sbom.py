"""The packages found in an image: what a reviewer reads, and what a list of known faults is held against.

Pure functions over the few files that package managers keep; nothing of the image is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fairnode.letters import reads_as_written

_INTERESTING = re.compile(
    r"var/lib/dpkg/status\Z|var/lib/dpkg/status\.d/[^/]+\Z|lib/apk/db/installed\Z"
    r"|(.*/)?[^/]+\.(dist|egg)-info/(METADATA|PKG-INFO)\Z"
    r"|(usr/(local/)?lib/R/.*/)[^/]+/DESCRIPTION\Z"
)


@dataclass(frozen=True, order=True)
class Package:
    """A package by its kind ("deb", "pypi", "apk", "cran"), name and version."""

    kind: str
    name: str
    version: str


def keeps_packages(path: str) -> bool:
    """Whether the file at `path` (relative to the root) tells of installed packages."""
    return _INTERESTING.match(path) is not None


def packages_in(files: Mapping[str, bytes]) -> tuple[Package, ...]:
    """All packages that the given files (path -> content) tell of, in order, each once."""
    return tuple(sorted({package for path, content in files.items() for package in _read(path, content)}))


def _read(path: str, content: bytes) -> Iterator[Package]:
    text = content.decode("utf-8", "replace")
    if path.startswith("var/lib/dpkg/"):
        for paragraph in text.split("\n\n"):
            fields = _fields(paragraph, ": ")
            if "installed" in fields.get("Status", "installed").split():
                yield from _package("deb", fields.get("Package"), fields.get("Version"))
    elif path.startswith("lib/apk/"):
        for paragraph in text.split("\n\n"):
            fields = _fields(paragraph, ":")
            yield from _package("apk", fields.get("P"), fields.get("V"))
    else:
        fields = _fields(text.split("\n\n", 1)[0], ": ")
        if path.endswith("DESCRIPTION"):
            yield from _package("cran", fields.get("Package"), fields.get("Version"))
        else:
            yield from _package("pypi", fields.get("Name"), fields.get("Version"))


def _fields(paragraph: str, colon: str) -> dict[str, str]:
    lines = (line.partition(colon) for line in paragraph.splitlines() if line[:1] not in (" ", "\t", ""))
    return {key: value.strip() for key, found, value in lines if found}


def _package(kind: str, name: str | None, version: str | None) -> Iterator[Package]:
    if name:
        yield Package(kind, _plain(name), _plain(version or ""))


def _plain(text: str) -> str:
    """What an image says of itself, so that it does nothing to a terminal and looks as it is."""
    return "".join(c if reads_as_written(c) else "\ufffd" for c in text[:200])
