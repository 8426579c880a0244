"""Log-linear models that a study registers beforehand: their terms, and whether there is a closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairnode.errors import NotValid

MOST_MODELS = 10
Clique = tuple[int, ...]


@dataclass(frozen=True)
class Model:
    """A hierarchical log-linear model by its generators: the largest sets of lists that interact.

    Every list is in a generator; `Model.of(3, [(0, 1)])` is lists 0 and 1 dependent, 2 independent.
    """

    lists: int
    generators: tuple[Clique, ...]

    @classmethod
    def of(cls, lists: int, interactions: Sequence[Sequence[int]]) -> Model:
        """From the interactions, main effects implied. Raises `NotValid` for what is no model."""
        terms = {tuple(sorted({int(i) for i in term})) for term in interactions} | {
            (i,) for i in range(lists)
        }
        if any(not term or term[0] < 0 or term[-1] >= lists for term in terms):
            raise NotValid(f"A model of {lists} lists has terms of lists 0 to {lists - 1}.")
        if tuple(range(lists)) in terms:
            raise NotValid("The interaction of all lists leaves nothing to estimate from.")
        largest = [t for t in terms if not any(set(t) < set(other) for other in terms)]
        return cls(lists, tuple(sorted(largest, key=lambda t: (len(t), t))))

    @property
    def separators(self) -> tuple[Clique, ...] | None:
        """The separators of a junction tree, empty ones included; None if the model is not decomposable.

        A model is decomposable if its generators are the cliques of a chordal graph, i.e. can be ordered so
        that each meets those before it in a subset of one of them (Lauritzen, Graphical Models, ch. 4).
        """
        placed = [self.generators[0]]
        waiting = list(self.generators[1:])
        found: list[Clique] = []
        while waiting:
            seen = set().union(*placed)
            step = max(waiting, key=lambda c: len(seen & set(c)))  # maximum cardinality search
            meeting = tuple(sorted(seen & set(step)))
            if not any(set(meeting) <= set(c) for c in placed):
                return None
            found.append(meeting)
            placed.append(step)
            waiting.remove(step)
        return tuple(found)

    @property
    def decomposable(self) -> bool:
        """Whether the estimate has a closed form."""
        return self.separators is not None


def registered(parameters: Mapping[str, Any]) -> list[Model]:
    """The models of a study's parameters, each a list of interactions. Raises `NotValid` beyond ten."""
    lists = int(parameters["lists"])
    models = [Model.of(lists, interactions) for interactions in parameters["models"]]
    if not 1 <= len(models) <= MOST_MODELS:
        raise NotValid(f"A study registers 1 to {MOST_MODELS} models, not {len(models)}.")
    if len(set(models)) < len(models):
        raise NotValid("A study registers each model once.")
    return models
