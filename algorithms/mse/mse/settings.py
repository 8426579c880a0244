"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`methods` empty = the default set; `models` are named beforehand, such as "LA:NG, NG:GP"."""

    methods: tuple[str, ...] = ()
    seed: int = 1
    boot: int = 1000
    models: tuple[str, ...] = ()
    max_order: int | None = None
    top: int = 20
    threshold: float = 0.02
