"""Moments as people read them."""

from __future__ import annotations


def day(moment: str) -> str:
    """The day of a moment."""
    return moment[:10]


def minute(moment: str) -> str:
    """A moment to the minute, in UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC" if len(moment) > 15 else moment
