"""What can go wrong before or during an estimate, as things a caller can tell apart."""

from __future__ import annotations

from dataclasses import dataclass


class TableError(ValueError):
    """The table cannot be read as capture histories with counts; the message says where and what to do."""


class MethodError(ValueError):
    """A method cannot be run on this table; `code` is stable for programs, the message is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Refusal:
    """A reason why no estimate (of one method, or at all if `method` is None) is given."""

    code: str
    sentence: str
    method: str | None = None
