"""Drafts the manifest of an image that was written for another platform, from what its archive says.

Nothing of the image is run or changed. What an archive cannot say (the function, its arguments, where in its
answer the numbers are, the variables it reads) the person who adopts it says; the rest is found in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from fairnode import errors
from fairnode.algorithms.archive import CheckedImage
from fairnode.algorithms.manifest import read_manifest

_PROTOCOLS = {
    "vantage6-algorithm-tools": "vantage6-4",
    "vantage6-client": "vantage6-3",
    "vantage6": "vantage6-3",
}
_MANIFEST = """\
[algorithm]
name = {name}
version = "0.1.0"
title = {title}
description = "What it computes, of whom, and for which question, in words that counsel can read."
licence = "NOASSERTION"
authors = ["Who wrote it"]
source = {source}

[image]
identity = {identity}
entrypoint = {entrypoint}

# Other ways to the numbers in its answer: algorithms/launcher/README.md
[launcher]
protocol = {protocol}
method = {method}
arguments = {arguments}
directory = {directory}

[[inputs]]
name = "records"
required = {variables}

[parameters]
type = "object"
additionalProperties = false
required = {arguments}

[parameters.properties]
{properties}
[[outputs]]
id = "answer"
kind = "other"

[[outputs.dimensions]]
variable = "quantity"
codes = {numbers}

[stages]
fits = ["visit"]

[resources]
memory_mib = 1024
seconds = 300
pids = 128
"""


@dataclass(frozen=True)
class Asked:
    """What the archive cannot say: the function, its arguments, the variables it reads, its numbers' names."""

    method: str
    arguments: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def draft(image: CheckedImage, asked: Asked) -> bytes:
    """A manifest that can be tried as it is, its describing texts still to be filled in.

    Raises `NotValid` when the image starts nothing, has no tools of vantage6, or `asked` is out of form.
    """
    config = image.config
    command = (*config.entrypoint, *config.command)
    if not command:
        raise errors.NotValid(
            "The image says nothing of what it starts: it has neither ENTRYPOINT nor CMD.",
            to_do="Write algorithm.toml by hand, with the command that its documentation names.",
        )
    package = _environment(config.environment).get("PKG_NAME", "")
    name = re.sub(r"[^a-z0-9]+", "-", f"{package} {asked.method}".lower()).strip("-")[:64] or "adopted"
    told = {
        "name": name if name[0].isalpha() else f"v6-{name}"[:64],
        "title": f"{asked.method} of {package or 'an image of another platform'}",
        "source": f"https://example.org/{name}",
        "identity": image.identity,
        "entrypoint": list(command),
        "protocol": _protocol(image),
        "method": asked.method,
        "arguments": list(asked.arguments),
        "directory": config.working_directory or "/",
        "variables": list(asked.variables),
        "numbers": list(asked.numbers),
    }
    coded = {entry: json.dumps(value, ensure_ascii=False) for entry, value in told.items()}
    properties = "".join(f"{json.dumps(argument)} = {{}}\n" for argument in asked.arguments)
    text = _MANIFEST.format(**coded, properties=properties).encode()
    read_manifest(text)
    return text


def _environment(settings: tuple[str, ...]) -> dict[str, str]:
    """An image's ENV as a mapping."""
    return {name: value for name, _, value in (setting.partition("=") for setting in settings)}


def _protocol(image: CheckedImage) -> str:
    """What the packages in the image speak. Raises `NotValid` when that cannot be seen."""
    found = {package.name.lower().replace("_", "-") for package in image.packages if package.kind == "pypi"}
    for package, protocol in _PROTOCOLS.items():
        if package in found:
            return protocol
    raise errors.NotValid(
        "The image has no package by which another platform's tools could be told.",
        to_do="Does it read RUN_CONTEXT_FILE? Then write algorithm.toml by hand, with that protocol.",
    )
