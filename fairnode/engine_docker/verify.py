"""Compares what the engine made of a container with what was asked for; any difference is a refusal.

Needed because options are lost silently: an image's own VOLUME makes a writable place on the host's disk
under a read-only root, an older engine ignores what it does not know, and a default may change.
Settings that nobody asked for must be empty, those not yet invented included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairnode.errors import Finding

# The engine's own protection of /proc and /sys: more than this is welcome, less is a refusal.
MASKED = frozenset(
    {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"}
)
READ_ONLY = frozenset({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})
# ShmSize means nothing without IPC; masked paths are compared on their own.
NOT_COMPARED = frozenset({"ShmSize", "MaskedPaths", "ReadonlyPaths"})


def differences(
    asked: Mapping[str, Any], found: Mapping[str, Any], image_environment: Sequence[str]
) -> tuple[Finding, ...]:
    """Every setting of the inspected container `found` that is not as `asked` (see `lockdown`).

    `image_environment` is the image's own: part of its identity, so it may come along.
    """
    return (
        *_settings(asked, found["Config"], image_environment),
        *_host(asked["HostConfig"], found["HostConfig"]),
        *_mounts(asked["HostConfig"]["Mounts"], found.get("Mounts") or []),
        *_rest(asked, found),
    )


def _settings(
    asked: Mapping[str, Any], found: Mapping[str, Any], image_environment: Sequence[str]
) -> Iterator[Finding]:
    wanted = {key: value for key, value in asked.items() if key not in ("HostConfig", "Env", "Labels")}
    rest = {key: value for key, value in found.items() if key not in ("Env", "Labels")}
    yield from _compare("Config", wanted, rest)
    missing = set(asked["Env"]) - set(found.get("Env") or ())
    foreign = set(found.get("Env") or ()) - set(asked["Env"]) - set(image_environment)
    if missing or foreign:
        yield Finding("Config.Env", f"lacks {len(missing)} and has {len(foreign)} unknown settings")
    labels = found.get("Labels") or {}
    for key, value in asked["Labels"].items():
        if labels.get(key) != value:
            yield Finding(f"Config.Labels.{key}", _told(value, labels.get(key)))


def _host(asked: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    # The list of mounts is compared as the engine resolved it, in `_mounts`.
    wanted = {key: value for key, value in asked.items() if key != "Mounts"}
    rest = {key: value for key, value in found.items() if key != "Mounts" and key not in NOT_COMPARED}
    yield from _compare("HostConfig", wanted, rest)
    for key, least in (("MaskedPaths", MASKED), ("ReadonlyPaths", READ_ONLY)):
        open_paths = least - set(found.get(key) or ())
        if open_paths:
            yield Finding(f"HostConfig.{key}", f"leaves {', '.join(sorted(open_paths))} open")


def _mounts(asked: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    wanted = {(m["Type"], m["Source"], m["Target"], not m["ReadOnly"], "rprivate") for m in asked}
    got = {
        (m.get("Type"), m.get("Source"), m.get("Destination"), m.get("RW"), m.get("Propagation"))
        for m in found
    }
    for mount in sorted(got - wanted, key=str):
        yield Finding("Mounts", f"{mount[0]} at {mount[2]} was not asked for")
    for mount in sorted(wanted - got, key=str):
        yield Finding("Mounts", f"{mount[0]} at {mount[2]} is missing or has other rights")


def _rest(asked: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    if found.get("Image") != asked["Image"]:
        yield Finding("Image", _told(asked["Image"], found.get("Image")))
    networks = set((found.get("NetworkSettings") or {}).get("Networks") or ())
    if networks - {"none"}:
        yield Finding("NetworkSettings.Networks", f"is in {', '.join(sorted(networks - {'none'}))}")


def _compare(where: str, asked: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    for key in sorted({*asked, *found}):
        want, got = asked.get(key), found.get(key)
        if _plain(want) != _plain(got):
            yield Finding(f"{where}.{key}", _told(want, got))


def _plain(value: object) -> object:
    """One form for all that means "nothing"; ulimits in the order of their names."""
    if isinstance(value, list) and value and all(isinstance(v, Mapping) and "Name" in v for v in value):
        return sorted((v["Name"], v.get("Soft"), v.get("Hard")) for v in value)
    if isinstance(value, list) and not any(value):
        return None
    return value or None


def _told(want: object, got: object) -> str:
    return f"should be {str(want)[:80]!r}, is {str(got)[:80]!r}"
