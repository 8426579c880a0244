"""What an algorithm did on synthetic rows, beside the request that people decide on.

The report hangs on what would run and not on the visit: the same image with the same question on the same
twin under the same rules is run once. It is advice; what is signed is the content, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode.datasets.description import describe
from fairnode.datasets.twins import recipe
from fairnode.keys import canonical, digest
from fairnode.node import Node
from fairnode.records.profile_rows import Rehearsal
from fairnode.records.rows import Dataset

_DECISIVE = ("algorithm", "parameters", "view", "outputContract", "gateRules", "limits")


def rehearsal_key(content: Mapping[str, Any], dataset: Dataset, runtime: str) -> str:
    """The name of a run on the twin: a hash over all that decides how it goes."""
    made_of = recipe(describe(dataset.record, dataset.iri))
    told = {name: content[name] for name in _DECISIVE}
    basis = made_of.basis if made_of else ""
    return digest(canonical({**told, "twin": basis, "runtime": runtime}))


def rehearsal_of(node: Node, content: Mapping[str, Any], dataset: Dataset) -> dict[str, Any] | None:
    """The report on what `content` would run; None as long as there is none."""
    key = rehearsal_key(content, dataset, node.config.settings.runtime)
    with node.store.read() as reader:
        found = reader.get(Rehearsal, key)
    return dict(found.report) if found else None
