"""A new algorithm's folder: a copy of `counts` or `counts-r`, which runs at once, under its own name."""

from __future__ import annotations

import re
from pathlib import Path

from fairnode import errors
from fairnode.records.algorithm import Manifest
from fairnode.share import shared

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FILES = ("algorithm.toml", "Dockerfile", "requirements.txt")
_PROGRAMS = {"python": ("counts", "counts.py", "algorithm.py"), "r": ("counts-r", "counts.R", "algorithm.R")}
LANGUAGES = tuple(_PROGRAMS)
_README = """\
# {name}

What it counts or computes, of whom, and for which question: one paragraph that counsel can read.

- `algorithm.toml` says what it is, needs, takes and puts out; fill in title, description, authors, source.
- `{program}` is one function from what is asked to tables; now it counts by the variables of the study.
- `requirements.txt` pins what is installed beside it, by hash.
- `Dockerfile` puts it on the base image; the same source gives the same identity.

    fairnode algorithm check {name}
    fairnode algorithm try {name} --dataset DATASET --dimension region
    fairnode algorithm build {name} --out built
    fairnode algorithm submit built/algorithm.toml built/image.tar
"""


DRAFTED = {
    "description": (
        "What it does, in words that counsel can read.",
        "What it computes, of whom, and for which question",
    ),
    "authors": ("Your name", "Who wrote it"),
    "source": ("https://example.org/",),
}
"""How the texts begin that a template, or a manifest drafted for an adopted image, leaves to be filled in."""


def left_as_drafted(manifest: Manifest) -> list[str]:
    """The entries of a manifest that nobody has filled in yet; people who decide would read them."""
    told = {
        "description": manifest.description,
        "authors": " ".join(manifest.authors),
        "source": manifest.source,
    }
    return [entry for entry, begins in DRAFTED.items() if told[entry].startswith(begins)]


def new_algorithm(name: str, target: Path, language: str = "python") -> None:
    """Leave a working algorithm called `name` in the new folder `target`, in Python or R (`LANGUAGES`).

    Raises `NotValid` for a name that a manifest does not take, `Conflict` when the folder is there already.
    """
    if not _NAME.fullmatch(name):
        raise errors.NotValid(
            f"'{name}' is no name for an algorithm.",
            to_do="Use a-z, 0-9 and '-', a letter first, 64 at most.",
        )
    try:
        target.mkdir(parents=True)
    except FileExistsError as error:
        raise errors.Conflict(f"{target} is there already.", to_do="Choose another name.") from error
    pattern, old, new = _PROGRAMS[language]
    for file in (*_FILES, old):
        text = (shared("algorithms") / pattern / file).read_text(encoding="utf-8").replace(old, new)
        (target / file.replace(old, new)).write_text(_renamed(text, name), encoding="utf-8")
    (target / "README.md").write_text(_README.format(name=name, program=new), encoding="utf-8")


def _renamed(text: str, name: str) -> str:
    """A file of the template with the new algorithm's name, version 0.1.0, and places to fill in."""
    entries = {
        "name": name,
        "version": "0.1.0",
        "title": name,
        "description": "What it does, in words that counsel can read.",
        "authors": ["Your name"],
        "source": f"https://example.org/{name}",
    }
    head, table, rest = text.partition("[image]\n")
    if not table:
        return text
    for entry, value in entries.items():
        told = f'["{value[0]}"]' if isinstance(value, list) else f'"{value}"'
        head = re.sub(rf"(?m)^{entry} = .*$", f"{entry} = {told}", head)
    return head + table + rest
