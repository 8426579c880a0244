"""Which codes consist of codes of a finer variable: what makes two tables nest."""

from __future__ import annotations

from functools import cache

from fairnode import vocabulary
from fairnode.disclosure.history import Finer
from fairnode.disclosure.merging import runs_of_bands
from fairnode.records.profile import NOT_RECORDED


@cache
def finer() -> Finer:
    """Of which codes of a finer variable a code consists, as far as the ontology says: age bands, groups."""
    told: dict[tuple[str, str], tuple[str, frozenset[str]]] = {}
    for name, variable in vocabulary.variables().items():
        for group in variable.groups:
            told[name, group] = (name, frozenset(variable.within(group)))
    for value in set((bands := vocabulary.coarser("ageGroup", "ageBroad")).values()):
        told["ageBroad", value] = ("ageGroup", frozenset(f for f, coarse in bands.items() if coarse == value))
    # profiles count what is not recorded as one more code
    told["ageBroad", NOT_RECORDED] = ("ageGroup", frozenset({NOT_RECORDED}))
    for name, variable in vocabulary.variables().items():
        told |= {
            (name, band): (name, fine)
            for band, fine in runs_of_bands(variable.notations).items()
            if (name, band) not in told
        }
    return told
