"""Which datasets can an algorithm visit, and which algorithms can visit a dataset?"""

from __future__ import annotations

from dataclasses import replace

from fairnode.discovery.search import Found, Wanted, search
from fairnode.linkage import program as linkage
from fairnode.node import Node
from fairnode.records.algorithm import Manifest


def needs(manifest: Manifest) -> tuple[str, ...]:
    """The variables that a dataset must have for this algorithm, whatever the study asks.

    Of the program that makes keys nothing can be said: what it reads identifies persons, and is not published.
    """
    if manifest.node_program == linkage.NAME:
        return ()
    names = [name for need in manifest.inputs for name in need.required]
    for table in manifest.outputs:
        names += [table.measure] if table.measure else []
        names += [table.numerator.variable] if table.numerator else []
        names += [name for name in table.dimensions if name not in dict(table.own_codes)]
    return tuple(dict.fromkeys(names))


def lacks(manifest: Manifest, found: Found) -> tuple[str, ...]:
    """Why the algorithm cannot visit this dataset, in words; nothing when it can.

    Its policy may still say no: that depends on the study.
    """
    if not found.unit:
        return ("it is described, but its columns are not bound, so nothing can visit it",)
    reasons = [f"it has no {name}" for name in needs(manifest) if name not in found.variables]
    if any(table.unit == "person" for table in manifest.outputs) and not found.persons:
        reasons.append("persons cannot be told apart in it")
    if not (found.asks or found.grants):
        reasons.append("its policy permits no visit at all")
    return tuple(reasons)


def wanted_by(manifest: Manifest, wanted: Wanted | None = None) -> Wanted:
    """The search for datasets that this algorithm can visit, among those that are `wanted`.

    It finds just what `lacks` has nothing to say about.
    """
    wanted = wanted or Wanted()
    variables = tuple(dict.fromkeys((*wanted.variables, *needs(manifest))))
    persons = wanted.persons or any(table.unit == "person" for table in manifest.outputs)
    return replace(wanted, variables=variables, persons=persons, visitable=True)


def datasets_for(node: Node, manifest: Manifest, wanted: Wanted | None = None) -> list[Found]:
    """The datasets of the network that this algorithm can visit, among those that are `wanted`."""
    return search(node, wanted_by(manifest, wanted))
