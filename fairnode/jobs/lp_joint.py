"""Told counts as sums of atoms, in a sparse matrix: as few columns as tell the counts apart.

The atoms are those of the cliques of `fairnode.jobs.lp_cliques`; neighbouring cliques have to have the same counts
of what they share. Atoms of a clique that are part of the same counts are one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack, vstack

from fairnode.disclosure.told import Joint, Told
from fairnode.jobs.lp_cliques import Clique, Tree, tree_of

Places = npt.NDArray[np.int64]

_MOST_ATOMS = 4_000_000
_MOST_COLUMNS = 60_000


class TooLarge(Exception):
    """There are too many atoms, or columns, to solve anything in a reasonable time."""


@dataclass(frozen=True)
class System:
    """Each told count is the sum of its columns (a row of `counts`); each row of `shared` adds up to 0."""

    counts: csr_matrix
    shared: csr_matrix


def system_of(joint: Joint) -> System:
    """The matrices of all that was told. Raises `TooLarge`."""
    scopes = [frozenset(variable for variable, _ in count.where) for count in joint.counts]
    tree = tree_of(joint.sizes, scopes)
    if tree.atoms(joint.sizes) > _MOST_ATOMS:
        raise TooLarge
    weights = [prod(joint.sizes[variable] for variable in clique) for clique in tree.cliques]
    homes = [_home(tree, scope, weights) for scope in scopes]
    cliques = [_Atoms(joint, tree, place, homes) for place in range(len(tree.cliques))]
    if sum(clique.columns for clique in cliques) > _MOST_COLUMNS:
        raise TooLarge
    counts = hstack([clique.counts() for clique in cliques], format="csr")
    shared = [_shared(cliques, edge) for edge in tree.edges]
    empty = csr_matrix((0, counts.shape[1]))
    return System(counts, vstack([empty, *shared], format="csr"))


def _home(tree: Tree, scope: frozenset[int], weights: Sequence[int]) -> int:
    """The smallest clique that has all variables of a count."""
    places = (place for place, clique in enumerate(tree.cliques) if scope.issubset(clique))
    return min(places, key=lambda place: (weights[place], place))


class _Atoms:
    """The atoms of a clique, one column for those that are part of the same counts."""

    def __init__(self, joint: Joint, tree: Tree, place: int, homes: Sequence[int]) -> None:
        self._clique = tree.cliques[place]
        self._sizes = tuple(joint.sizes[variable] for variable in self._clique)
        self._joint = joint
        self._mine = [number for number, home in enumerate(homes) if home == place]
        # atoms of the same name are one column; 64 bits by chance for each count, and always the same ones
        chance = np.random.default_rng(20)
        names = np.zeros(self._sizes, dtype=np.uint64)
        there = np.ones(self._sizes, dtype=bool)
        for number in self._mine:
            count = joint.counts[number]
            if count.shown and count.n == 0:
                there[self._inside(count)] = False
            else:
                names[self._inside(count)] ^= chance.integers(1, 2**64, dtype=np.uint64)
        for one, other, shared in tree.edges:
            if place in (one, other):
                shape = tuple(joint.sizes[v] if v in shared else 1 for v in self._clique)
                names ^= chance.integers(1, 2**64, size=shape, dtype=np.uint64)
        atoms = np.flatnonzero(there)
        _, first = np.unique(names.ravel()[atoms], return_index=True)
        self._atoms: Places = atoms[np.sort(first)]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self._atoms)

    def counts(self) -> csr_matrix:
        """Which columns each count is the sum of."""
        at = np.full(self._sizes, -1, dtype=np.int64)
        at.ravel()[self._atoms] = np.arange(self.columns)
        inside = [at[self._inside(self._joint.counts[number])].ravel() for number in self._mine]
        parts = [(number, places[places >= 0]) for number, places in zip(self._mine, inside, strict=True)]
        rows = np.repeat([n for n, _ in parts], [len(p) for _, p in parts]).astype(np.int64)
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *(places for _, places in parts)])
        return self._matrix(rows, columns, len(self._joint.counts))

    def cells(self, shared: Clique) -> csr_matrix:
        """Which columns each combination of codes of some of the variables is the sum of."""
        sizes = [self._joint.sizes[variable] for variable in shared]
        where = np.unravel_index(self._atoms, self._sizes) if self._sizes else ()
        chosen = tuple(codes for v, codes in zip(self._clique, where, strict=True) if v in shared)
        rows = np.ravel_multi_index(chosen, sizes) if shared else np.zeros(self.columns, dtype=np.int64)
        return self._matrix(rows, np.arange(self.columns), prod(sizes))

    def _matrix(self, rows: Places, columns: Places, height: int) -> csr_matrix:
        return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(height, self.columns))

    def _inside(self, count: Told) -> tuple[Places, ...]:
        """The atoms of a count, as an index of an array of all atoms."""
        met = dict(count.where)
        axes = zip(self._clique, self._sizes, strict=True)
        return np.ix_(*(np.array(met.get(variable, range(size)), dtype=np.int64) for variable, size in axes))


def _shared(cliques: Sequence[_Atoms], edge: tuple[int, int, Clique]) -> csr_matrix:
    """Rows that say that two neighbours have the same counts of what they share."""
    one, other, shared = edge
    rows = prod(cliques[one].cells(shared).shape[:1])
    blocks = [csr_matrix((rows, clique.columns)) for clique in cliques]
    blocks[one], blocks[other] = cliques[one].cells(shared), -cliques[other].cells(shared)
    return hstack(blocks, format="csr")
