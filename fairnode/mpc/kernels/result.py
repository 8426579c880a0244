"""What a program hands back at each compute party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairnode.mpc.kernels.exchange import Row, Traffic
from fairnode.mpc.kernels.streams import Words


@dataclass(frozen=True)
class Result:
    """`rows`: this party's share of the output, to be sealed to the recipient or kept for the next program.

    `opened`: what all compute parties have been told, as JSON; `traffic`: what this party sent for it.
    """

    rows: Mapping[Row, Words]
    opened: Mapping[str, Any] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
