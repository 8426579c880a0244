"""Algorithms known at this node: submitted as an archive with its manifest, then loaded by the worker."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

from fairnode import clock, errors
from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.manifest import read_manifest
from fairnode.algorithms.sbom import Package
from fairnode.engine import Engine
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.rows import Algorithm, Person, Role

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def listed(node: Node) -> list[Algorithm]:
    """Every algorithm that was ever submitted here, newest first."""
    with node.store.read() as reader:
        return reader.find(Algorithm, order="-created")


def manifest(algorithm: Algorithm) -> Manifest:
    """What the algorithm's manifest says."""
    return read_manifest(algorithm.manifest)


def may_submit(person: Person) -> bool:
    """Whether a person may submit algorithms."""
    return person.active and bool({Role.AUTHOR, Role.CUSTODIAN} & set(person.roles))


def check_may_submit(person: Person) -> None:
    """Raise `NotAllowed` unless `may_submit`."""
    if not may_submit(person):
        raise errors.NotAllowed("Only authors and custodians submit algorithms.")


def submit(node: Node, person: Person, manifest_bytes: bytes, archive: Path) -> Algorithm:
    """Take in an algorithm: manifest and image archive are checked before anything is written.

    The identity is computed from the archive's content; a manifest that names another one is refused. One image
    can be several algorithms, each with a manifest of its own: images of other platforms hold many functions.
    Raises `NotValid` with findings, `Conflict` when image and manifest, or name and version, are known already.
    """
    check_may_submit(person)
    told = read_manifest(manifest_bytes)
    if told.node_program:
        raise errors.NotValid(
            "A program of the node itself is not submitted: each node has its own.",
            to_do="Name an image in algorithm.toml instead of [node].",
        )
    checked = read_archive(archive, ARCHITECTURES.get(platform.machine(), platform.machine()))
    if told.identity and told.identity != checked.identity:
        raise errors.NotValid(
            "The archive holds another image than the manifest names.",
            findings=(errors.Finding("image.identity", f"the archive's content is {checked.identity}"),),
            to_do="Build the image again, or correct the manifest.",
        )
    row = Algorithm(
        id=digest(f"{checked.identity} {digest(manifest_bytes)}".encode())[:20],
        name=told.name,
        version=told.version,
        title=told.title,
        manifest=manifest_bytes,
        sha256=digest(manifest_bytes),
        image=checked.identity,
        author=person.id,
        state="received",
        created=clock.now(),
    )
    _check_is_new(node, row)
    _keep_archive(archive, archive_path(node, row))
    _keep_packages(checked.packages, packages_path(node, row))
    facts = {"name": row.name, "version": row.version, "identity": row.image, "manifest": row.sha256}
    return commit(
        node.desk, lambda tx: tx.add(row), Entry("algorithm.submitted", row.id, person.id, facts=facts)
    )


def _check_is_new(node: Node, row: Algorithm) -> None:
    """Raise `Conflict` for an image that is known here with the same manifest, or by the same name and version."""
    with node.store.read() as reader:
        known = reader.find(Algorithm, {"image": row.image})
    for other in known:
        if other.sha256 == row.sha256:
            raise errors.Conflict(
                f"This image is known here already, with this manifest, as {other.name} {other.version}.",
                to_do="fairnode algorithm list",
            )
        if (other.name, other.version) == (row.name, row.version):
            raise errors.Conflict(
                f"This image is known here already as {other.name} {other.version}, with another manifest.",
                to_do="A changed manifest is a new version: raise 'version' in algorithm.toml.",
            )


def archive_path(node: Node, algorithm: Algorithm) -> Path:
    """Where the archive of an algorithm's image is kept."""
    return node.config.directory / "images" / f"{algorithm.image.removeprefix('sha256:')[:20]}.tar"


def packages_path(node: Node, algorithm: Algorithm) -> Path:
    """Where the list of packages found in an algorithm's image is kept."""
    return archive_path(node, algorithm).with_suffix(".packages.json")


def packages(node: Node, algorithm: Algorithm) -> tuple[Package, ...]:
    """The packages found in an algorithm's image when it was submitted; none where no list was kept."""
    path = packages_path(node, algorithm)
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return tuple(Package(*line) for line in told)


def _keep_packages(found: tuple[Package, ...], target: Path) -> None:
    """Write the list so that it appears whole or not at all."""
    lines = [[package.kind, package.name, package.version] for package in found]
    try:
        part = target.with_suffix(".part")
        part.write_text(json.dumps(lines), encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise errors.Unavailable(
            "The node's disk cannot take the list of packages.", internal=str(error)
        ) from error


def _keep_archive(archive: Path, target: Path) -> None:
    """Copy the archive so that it appears whole or not at all."""
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copyfile(archive, part)
        part.chmod(0o640)  # the worker may be another user, of the same group
        part.replace(target)
    except OSError as error:
        raise errors.Unavailable(
            "The node's disk cannot take the archive; nothing was written.", internal=str(error)
        ) from error


def load_received(node: Node, engine: Engine) -> int:
    """Give the engine the images that were submitted; how many are known now.

    What was loaded must have the identity that was computed at the door.
    """
    with node.store.read() as reader:
        waiting = reader.find(Algorithm, {"state": "received"})
    for algorithm in waiting:
        try:
            loaded = engine.load_image(archive_path(node, algorithm))
            state = "known" if loaded.identity == algorithm.image else "refused"
        except errors.NotValid:
            state = "refused"
        commit(
            node.desk,
            lambda tx, a=algorithm, s=state: tx.change(a, state=s),  # type: ignore[misc]
            Entry(f"algorithm.{state}", algorithm.id, "node", facts={"identity": algorithm.image}),
        )
    return len(waiting)


def image_name(identity: str) -> str:
    """The engine's name for an image that was loaded here."""
    return "fairnode/algorithm:" + identity.removeprefix("sha256:")[:32]
