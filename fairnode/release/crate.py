"""A release as a crate to cite and keep (https://w3id.org/ro/crate): all its forms, the study, how it was made.

The library for crates is loaded in a child process only. The same release makes the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairnode.algorithms.manifest import read_manifest
from fairnode.child import run_child
from fairnode.keys import canonical
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.rows import Algorithm, Release, Study
from fairnode.release.releases import provenance, render
from fairnode.studies.document import StudyPlan, read_study

MEDIA = "application/zip"
SECONDS = 120.0
_FILES = (
    ("csv", "table.csv", "text/csv", "The released table"),
    ("json", "release.json", "application/json", "The release as its node signed it"),
    ("turtle", "cube.ttl", "text/turtle", "The release as an RDF Data Cube"),
    ("svg", "picture.svg", "image/svg+xml", "The release as a picture"),
)


def crate(node: Node, release: Release) -> bytes:
    """The crate as a zip. Raises `Unavailable` when the child process does not answer."""
    with TemporaryDirectory(prefix="crate-") as folder:
        path = Path(folder, "crate.zip")
        run_child(
            "crate", {**_job(node, release), "path": str(path)}, spool=node.config.spool, seconds=SECONDS
        )
        return path.read_bytes()


def _job(node: Node, release: Release) -> dict[str, Any]:
    """What the child is told (`fairnode.jobs.crate`)."""
    with node.store.read() as reader:
        study = reader.get(Study, release.study)
        plan = read_study(json.loads(study.document)) if study else None
        known = reader.find(Algorithm, _named(plan)) if plan else []
    manifest = read_manifest(known[0].manifest) if known else None
    told, made = provenance(release), json.loads(release.table).get("made", {})
    files = [
        {"name": name, "text": render(release, form).decode(), "media": media, "about": about}
        for form, name, media, about in _FILES
    ]
    if plan is not None:
        files.append(
            {
                "name": "study.json",
                "text": canonical(plan.document).decode(),
                "media": "application/ld+json",
                "about": "The study as it was approved; its hash names it",
            }
        )
    return {
        "title": told.title,
        "description": plan.document["question"] if plan else told.title,
        "issued": told.issued,
        "licence": told.licence,
        "publisher": {"id": told.publisher, "name": told.publisher},
        "study": {"id": told.study, "title": plan.title if plan else told.study},
        "visit": {"id": told.visit, "ended": release.created},
        "algorithm": _algorithm(manifest, plan.identity if plan else "", made),
        "datasets": [{"id": iri, "title": iri} for iri in told.datasets],
        "rules": told.rules,
        "facts": [list(fact) for fact in told.facts],
        "parts": [
            {
                "dataset": part.dataset,
                "publisher": part.publisher,
                "facts": [*map(list, part.facts), ["disclosureRules", f"sha256:{part.rules}"]],
                "signature": part.signature,
            }
            for part in told.parts
        ],
        "signature": release.signature,
        "files": files,
    }


def _named(plan: StudyPlan) -> dict[str, str]:
    """By what the algorithm of a study is found: an image can have several manifests."""
    told = plan.document["algorithm"]
    return {"image": plan.identity, "name": told["name"], "version": told["version"]}


def _algorithm(manifest: Manifest | None, identity: str, made: dict[str, Any]) -> dict[str, str]:
    """The algorithm by its manifest, or, where it is not known here, by what its node said."""
    said = made.get("algorithm", {})
    if manifest is None:
        return {
            "id": f"urn:image:{identity or said.get('identity', '')}",
            "name": said.get("name", ""),
            "version": said.get("version", ""),
            "identity": identity,
        }
    return {
        "id": manifest.source,
        "name": manifest.title,
        "version": manifest.version,
        "identity": identity,
        "method": manifest.method,
        "licence": manifest.licence,
    }
