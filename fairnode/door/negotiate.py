"""Content negotiation (RFC 9110 section 12): which of our forms does the asker like best?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fairnode import errors


class NotOffered(errors.FairnodeError):
    """The asker accepts none of the forms that there are."""

    code = "not-acceptable"
    title = "There is no such form of this"
    http_status = 406


@dataclass(frozen=True)
class _Range:
    """One entry of an Accept header; `specific` is 2 for type/subtype, 1 for type/*, 0 for */*."""

    kind: str
    subtype: str
    q: float

    @property
    def specific(self) -> int:
        return (self.kind != "*") + (self.subtype != "*")

    def fits(self, offer: str) -> bool:
        kind, _, subtype = offer.partition("/")
        return self.kind in ("*", kind) and self.subtype in ("*", subtype)


def choose(accept: str | None, offers: Sequence[str]) -> str:
    """The offer that fits `accept` best; `offers` are in the order of our own preference.

    The highest q wins; of equal ones the range that names more (`text/html, */*` means HTML); then our own
    order. Parameters other than q are ignored. Raises `NotOffered`.
    """
    ranges = _ranges(accept or "")
    if not ranges:
        return offers[0]
    best, best_rank = "", (0.0, -1)
    for offer in offers:
        fitting = [r for r in ranges if r.fits(offer)]
        if not fitting:
            continue
        told = max(fitting, key=lambda r: r.specific)
        if told.q > 0 and (told.q, told.specific) > best_rank:
            best, best_rank = offer, (told.q, told.specific)
    if not best:
        raise NotOffered("None of the forms you accept is there.", to_do=f"There are: {', '.join(offers)}.")
    return best


def _ranges(accept: str) -> list[_Range]:
    """The readable entries of an Accept header; what cannot be read is left out."""
    found = []
    for entry in accept.split(",")[:100]:
        name, *parameters = (part.strip() for part in entry.split(";"))
        match = re.fullmatch(r"([\w!#$&^.+*-]+)/([\w!#$&^.+*-]+)", name.lower())
        if match:
            found.append(_Range(match[1], match[2], _quality(parameters)))
    return found


def _quality(parameters: Sequence[str]) -> float:
    """The q among the parameters, 1 where there is none or it cannot be read."""
    for parameter in parameters:
        match = re.fullmatch(r"q\s*=\s*([01](?:\.\d{0,3})?|\.\d{1,3})", parameter, re.IGNORECASE)
        if match:
            return min(float(match[1]), 1.0)
    return 1.0
