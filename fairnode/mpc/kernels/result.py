"""What a computation on lists has told all compute parties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairnode.mpc.kernels.exchange import Traffic


@dataclass(frozen=True)
class Result:
    """`opened`: what all compute parties have been told, as JSON; `traffic`: what this party sent for it."""

    opened: Mapping[str, Any]
    traffic: Traffic
