"""What a release is called and where it comes from: labels of variables and codes, and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Labels:
    """Labels in one language, concept IRIs of codes, and XSD datatypes of variables without a code list.

    What is not named keeps its own name; a variable without concepts and datatype is a string.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    concepts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    datatypes: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"

    def variable(self, name: str) -> str:
        """The label of a variable."""
        return self.variables.get(name, name)

    def code(self, variable: str, code: str) -> str:
        """The label of a code of a variable."""
        return self.codes.get((variable, code), code)


Facts = tuple[tuple[str, str], ...]
"""What is known of how something was made: terms of the node's vocabulary, each with a text."""


@dataclass(frozen=True)
class Part:
    """One organisation's part of a combined release: IRIs of its dataset and of who made it, and its facts.

    `rules` is the hash of the disclosure rules there, `signature` (hex) its node's over all that it said.
    """

    dataset: str
    publisher: str
    rules: str
    signature: str
    facts: Facts


@dataclass(frozen=True)
class Provenance:
    """Where a release comes from. All but `title`, `issued` (ISO date), `rules` (hash), `facts` and `parts` are
    IRIs.
    """

    release: str
    title: str
    issued: str
    visit: str
    study: str
    datasets: tuple[str, ...]
    publisher: str
    rules: str
    checks: tuple[str, ...] = ()
    licence: str | None = None
    facts: Facts = ()
    parts: tuple[Part, ...] = ()
