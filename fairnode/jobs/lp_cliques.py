"""Variables that are told of together, put into cliques that form a tree.

Counts of several variables fit each other as a whole if they fit clique by clique, and neighbouring cliques have
the same counts of the variables they share: so it is where the cliques are those of a triangulated graph
(Vorob'ev 1962; Beeri, Fagin, Maier and Yannakakis 1983). That is what keeps the number of atoms small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

Clique = tuple[int, ...]
Graph = dict[int, set[int]]


@dataclass(frozen=True)
class Tree:
    """Cliques, and which of them are neighbours: pairs of positions, with the variables that they share."""

    cliques: tuple[Clique, ...]
    edges: tuple[tuple[int, int, Clique], ...]

    def atoms(self, sizes: Sequence[int]) -> int:
        """How many atoms the cliques have together."""
        return sum(prod(sizes[variable] for variable in clique) for clique in self.cliques)


def tree_of(sizes: Sequence[int], scopes: Iterable[Iterable[int]]) -> Tree:
    """The tree over the variables with these numbers of categories, told of together in `scopes`.

    The better one of two orders of elimination: by fewest new edges, and by smallest clique.
    """
    graph: Graph = {variable: set() for variable in range(len(sizes))}
    for scope in {frozenset(scope) for scope in scopes}:
        for one, other in combinations(scope, 2):
            graph[one].add(other)
            graph[other].add(one)

    def fill(rest: Graph, variable: int) -> tuple[int, int]:
        missing = sum(other not in rest[one] for one, other in combinations(rest[variable], 2))
        return missing, size(rest, variable)[0]

    def size(rest: Graph, variable: int) -> tuple[int, int]:
        return prod(sizes[each] for each in rest[variable] | {variable}), variable

    trees = (_spanning(_eliminated(graph, cost)) for cost in (fill, size))
    return min(trees, key=lambda tree: tree.atoms(sizes))


def _eliminated(graph: Graph, cost: Callable[[Graph, int], tuple[int, int]]) -> list[Clique]:
    """The cliques of the graph triangulated by taking out the cheapest variable again and again."""
    rest = {variable: set(near) for variable, near in graph.items()}
    cliques: list[set[int]] = []
    while rest:
        variable = min(sorted(rest), key=lambda each: cost(rest, each))
        near = rest.pop(variable)
        for one in near:
            rest[one] |= near - {one}
            rest[one].discard(variable)
        clique = near | {variable}
        if not any(clique <= larger for larger in cliques):
            cliques.append(clique)
    return [tuple(sorted(clique)) for clique in cliques] or [()]


def _spanning(cliques: list[Clique]) -> Tree:
    """The cliques as a tree whose neighbours share as many variables as can be (a junction tree)."""
    edges: list[tuple[int, int, Clique]] = []
    best = {place: (0, _shared(cliques, 0, place)) for place in range(1, len(cliques))}
    while best:
        place = max(best, key=lambda each: (len(best[each][1]), -each))
        near, shared = best.pop(place)
        edges.append((near, place, shared))
        for other in best:
            through = _shared(cliques, place, other)
            if len(through) > len(best[other][1]):
                best[other] = (place, through)
    return Tree(tuple(cliques), tuple(edges))


def _shared(cliques: list[Clique], one: int, other: int) -> Clique:
    return tuple(variable for variable in cliques[one] if variable in cliques[other])
