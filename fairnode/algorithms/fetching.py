"""Algorithms whose image lies in a registry: fetched into a folder of a job, then taken in as any archive."""

from __future__ import annotations

from fairnode.algorithms.known import check_may_submit, submit
from fairnode.algorithms.manifest import read_manifest
from fairnode.child import job_folder
from fairnode.node import Node
from fairnode.peers.registry import FetchLimits, fetch_image
from fairnode.records.rows import Algorithm, Person


def submit_fetched(node: Node, person: Person, manifest_bytes: bytes, reference: str) -> Algorithm:
    """Take in an algorithm whose image is HOST/NAME@sha256:... in a registry that node.toml names.

    Nothing is asked of the registry before person and manifest are in order, and nothing of a registry that
    lied is kept. Raises what `fetch_image` and `submit` raise.
    """
    check_may_submit(person)
    read_manifest(manifest_bytes)
    config = node.config
    limits = FetchLimits(config.settings.upload_limit_mib << 20)
    with job_folder(config.spool, "fetch") as folder:
        archive = folder / "image.tar"
        fetch_image(reference, config.registry, config.keys, limits, archive)
        return submit(node, person, manifest_bytes, archive)
