"""The files of a visit on this machine: copies of its inputs, its run.json, and the one file it may write.

They lie in a directory that only this user can enter, under a name that says nothing (a container can read
the paths of its mounts). The engine reads them as `engine_root` says where it sees the same disk elsewhere,
such as through a volume.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.engine import NotCollected, Reason, VisitSpec
from fairnode.engine_docker.lockdown import INPUTS, RESULT, RUN_JSON, Mount

BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Spool:
    """The directory of all visits: as this process sees it, and as the engine does."""

    root: Path
    engine_root: Path

    def open(self) -> None:
        """Make the directory, for this user only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def folder(self, visit_id: str) -> Path:
        """Where the files of a visit lie: always the same place, named by a digest."""
        return self.root / hashlib.sha256(visit_id.encode()).hexdigest()[:24]

    def mounts(self, spec: VisitSpec) -> tuple[Mount, ...]:
        """What shows a visit's files to its container."""
        folder = self.engine_root / self.folder(spec.visit_id).name
        return (
            Mount(folder / "run.json", RUN_JSON, writable=False),
            Mount(folder / "result", RESULT, writable=True),
            *(Mount(folder / "in" / name, f"{INPUTS}/{name}", writable=False) for name in spec.inputs),
        )

    def lay_out(self, spec: VisitSpec) -> None:
        """Write a visit's files anew.

        Raises `errors.Unavailable` when the disk is full; nothing of the visit is left then.
        """
        folder = self.folder(spec.visit_id)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            self._fill(folder, spec)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise errors.Unavailable(
                "The files of the visit could not be written.",
                to_do="The operator makes room on the node's disk; the visit is tried again.",
                internal=str(error),
            ) from error

    def _fill(self, folder: Path, spec: VisitSpec) -> None:
        self._claim(folder, spec)
        (folder / "in").mkdir(mode=0o700)
        digests = {f"in/{name}": _copy(path, folder / "in" / name) for name, path in spec.inputs.items()}
        run_json, result = folder / "run.json", folder / "result"
        run_json.write_bytes(spec.run_json)
        run_json.chmod(0o444)
        digests["run.json"] = hashlib.sha256(spec.run_json).hexdigest()
        result.touch(mode=0o600)
        result.chmod(0o622)  # the container's user may write it, and do nothing else with it
        self.note(spec.visit_id, "inputs", digests)

    def _claim(self, folder: Path, spec: VisitSpec) -> None:
        """Make the directory with the visit's name in it, so that no data ever lies here namelessly."""
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        facts = {"visit": spec.visit_id, "output_bytes": spec.limits.output_bytes}
        (part / "visit.json").write_text(json.dumps(facts), encoding="utf-8")
        part.rename(folder)

    def note(self, visit_id: str, name: str, facts: Mapping[str, Any]) -> None:
        """Keep facts about a visit beside its files; whole or not at all."""
        path = self.folder(visit_id) / f"{name}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(path)

    def noted(self, visit_id: str, name: str) -> dict[str, Any] | None:
        """What `note` kept, or None."""
        path = self.folder(visit_id) / f"{name}.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def visit_ids(self) -> tuple[str, ...]:
        """The visits that have files here."""
        notes = sorted(self.root.glob("*/visit.json"))
        return tuple(json.loads(n.read_text(encoding="utf-8"))["visit"] for n in notes if not n.parent.suffix)

    def check_inputs(self, visit_id: str) -> None:
        """Raise `NotCollected` unless every input still has the bytes that were laid out."""
        folder = self.folder(visit_id)
        for name, digest in (self.noted(visit_id, "inputs") or {}).items():
            if not (folder / name).is_file() or _digest(folder / name) != digest:
                raise NotCollected(Reason.INPUTS_CHANGED, "An input of the visit changed while it ran.")

    def harvest(self, visit_id: str) -> bytes:
        """The bytes of the one output file; a plain file, not linked, not too large, not empty."""
        limit = int((self.noted(visit_id, "visit") or {"output_bytes": 0})["output_bytes"])
        return read_output(self.folder(visit_id) / "result", limit)

    def remove(self, visit_id: str) -> None:
        """Delete all files of a visit."""
        folder = self.folder(visit_id)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise errors.Unavailable(
                "The files of the visit could not be deleted.",
                to_do="The operator looks after the node's spool directory.",
            )


def read_output(path: Path, limit: int) -> bytes:
    """The content of `path`, at most `limit` bytes, without following links or waiting for a pipe.

    Raises `NotCollected` for anything but a plain file with one name and 1 to `limit` bytes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NotCollected(Reason.NOT_A_FILE, "The output is not a plain file.") from error
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise NotCollected(Reason.NOT_A_FILE, "The output is not a plain file.")
        if facts.st_size > limit:
            raise NotCollected(Reason.TOO_LARGE, f"The output is larger than {limit} bytes.")
        content = b""
        while block := os.read(handle, limit + 1 - len(content)):
            content += block
    finally:
        os.close(handle)
    if len(content) > limit:
        raise NotCollected(Reason.TOO_LARGE, f"The output is larger than {limit} bytes.")
    if not content:
        raise NotCollected(Reason.NO_OUTPUT, "The container wrote nothing.")
    return content


def _copy(source: Path, target: Path) -> str:
    """Copy a file, readable for the container; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("xb") as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)
    target.chmod(0o444)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
