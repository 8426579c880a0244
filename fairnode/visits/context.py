"""What a step needs to know of one visit, read together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.algorithms.manifest import read_manifest
from fairnode.approvals.content import approval_content
from fairnode.datasets.description import Description, describe
from fairnode.keys import commitment
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.rows import Algorithm, Dataset, Request, Visit
from fairnode.studies.document import StudyPlan, read_study_bytes

VIEW_NAME = "records"


@dataclass(frozen=True)
class VisitContext:
    """A visit with its study, dataset and algorithm as they are now.

    `again`: the data are read once more beside the visit, in a folder of its own, to see whether they changed.
    """

    node: Node
    visit: Visit
    plan: StudyPlan
    dataset: Dataset
    description: Description
    algorithm: Algorithm
    manifest: Manifest
    again: bool = False

    @property
    def folder(self) -> Path:
        """Where the view lies while the visit lasts."""
        return self.node.config.spool / ("again" if self.again else "visits") / self.visit.id

    @property
    def view_path(self) -> Path:
        """The harmonised view: what the container reads."""
        return self.folder / f"{VIEW_NAME}.parquet"

    @property
    def companion_path(self) -> Path:
        """The same rows with who they are about, for the node's own recount."""
        return self.folder / "companion.parquet"

    def content(self) -> dict[str, Any]:
        """What an approval must cover, compiled from what is there now."""
        return approval_content(self.node, self.visit, self.plan, self.dataset, self.algorithm)


def read_context(node: Node, visit: Visit) -> VisitContext:
    """Everything about a visit. Raises `NotFound` when something it rests on is gone."""
    with node.store.read() as reader:
        request = reader.get(Request, visit.study)
        dataset = reader.get(Dataset, visit.dataset)
        algorithm = reader.get(Algorithm, visit.algorithm)
    if request is None or dataset is None or algorithm is None or dataset.state != "published":
        raise errors.NotFound("The dataset or algorithm of this visit is no longer there.")
    return VisitContext(
        node=node,
        visit=visit,
        plan=read_study_bytes(request.document),
        dataset=dataset,
        description=describe(dataset.record, dataset.iri),
        algorithm=algorithm,
        manifest=read_manifest(algorithm.manifest),
    )


def person_secret(context: VisitContext) -> str:
    """The secret (hex) under which persons of one lineage are hashed, the same for all its views."""
    return commitment(context.node.keys.secret, f"persons {context.dataset.lineage}".encode())
