"""Every error a person may meet: one family, each with a code, a sentence and a next step.

Anything else that is raised is a bug. The doors turn a `FairnodeError` into a page, an exit code or
problem+json (RFC 9457); none of its words may hold a path of this machine or a value from the data,
because they can reach another organisation. What only this node's people may read goes into `internal`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with what was handed in: where it is, and what is wrong with it."""

    where: str
    what: str


class FairnodeError(Exception):
    """What was wrong, where, and what to do about it, in words for the person who meets it."""

    code = "error"
    title = "Something in this request is wrong"
    http_status = 400
    exit_code = 2

    def __init__(
        self, what: str, *, to_do: str = "", findings: tuple[Finding, ...] = (), internal: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.to_do = to_do
        self.findings = findings
        self.internal = internal

    def __str__(self) -> str:
        lines = [self.what, *(f"  {f.where}: {f.what}" for f in self.findings)]
        return "\n".join([*lines, self.to_do] if self.to_do else lines)


class NotValid(FairnodeError):
    """What was handed in breaks a rule of its form; nothing was written."""

    code = "not-valid"
    title = "What was handed in does not have the agreed form"
    http_status = 422


class NotFound(FairnodeError):
    """There is no such thing, or it is not for the one who asks."""

    code = "not-found"
    title = "There is no such thing here"
    http_status = 404
    exit_code = 3


class NotAllowed(FairnodeError):
    """The person may not do this; the sentence names the rule."""

    code = "not-allowed"
    title = "This is not yours to do"
    http_status = 403
    exit_code = 4


class NotKnown(FairnodeError):
    """The one who asks did not say who they are, or not correctly."""

    code = "not-known"
    title = "Who are you?"
    http_status = 401
    exit_code = 4


class Conflict(FairnodeError):
    """The thing is in a state in which this cannot be done (any more)."""

    code = "conflict"
    title = "This cannot be done in the present state"
    http_status = 409
    exit_code = 5


class Unavailable(FairnodeError):
    """Something that is needed does not answer now; trying again later may help."""

    code = "unavailable"
    title = "Something that is needed does not answer"
    http_status = 503
    exit_code = 6


class DiskFull(Unavailable):
    """The node's disk takes nothing more; who can wait, waits for room."""
