"""The time, in one form everywhere: UTC, ISO 8601, seconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORM = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """This moment."""
    return datetime.now(UTC).strftime(FORM)


def later(seconds: float, start: str | None = None) -> str:
    """The moment `seconds` after `start` (or after now)."""
    begin = parse(start) if start else datetime.now(UTC)
    return (begin + timedelta(seconds=seconds)).strftime(FORM)


def parse(moment: str) -> datetime:
    """The moment as an aware datetime. Raises ValueError on another form."""
    return datetime.strptime(moment, FORM).replace(tzinfo=UTC)


def slot_began(moment: str, seconds: int) -> str:
    """When the time slot of so many seconds began in which `moment` lies."""
    at = int(parse(moment).timestamp())
    return datetime.fromtimestamp(at - at % max(1, seconds), UTC).strftime(FORM)
