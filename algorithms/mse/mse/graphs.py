"""Decomposable (chordal) graphs over the lists, by elimination of simplicial vertices."""

from __future__ import annotations

from functools import cache

import numpy as np

from .patterns import Ints, masks_of_order, members

CHUNK = 1 << 18


@cache
def decomposable_graphs(lists: int) -> tuple[Ints, Ints]:
    """All decomposable graphs: edge sets (G,) as bits over the pairs (1,2), (1,3), ... and (G, 2^t) signs.

    8, 61, 822, 18,154 graphs for 3..6 lists. The signs are +1 for cliques and -1 for separators (sums
    over a perfect elimination order telescope to that), mask 0 for the empty separator counted once less
    than the graph has components.
    """
    pairs = lists * (lists - 1) // 2
    found = [_chordal(np.arange(i, min(i + CHUNK, 1 << pairs)), lists) for i in range(0, 1 << pairs, CHUNK)]
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def graph_signs(lists: int, edges: frozenset[int]) -> Ints | None:
    """The signs of one graph given its pair masks, or None if it is not decomposable."""
    code = sum(1 << k for k, pair in enumerate(masks_of_order(lists, 2)) if pair in edges)
    kept, signs = _chordal(np.array([code]), lists)
    return signs[0] if len(kept) else None


def edge_masks(code: int, lists: int) -> frozenset[int]:
    """The pair masks of an edge set code."""
    return frozenset(pair for k, pair in enumerate(masks_of_order(lists, 2)) if code >> k & 1)


def model_terms(signs: Ints) -> frozenset[int]:
    """All terms of the decomposable model: every subset of a clique."""
    cliques = [int(m) for m in np.flatnonzero(signs > 0)]
    return frozenset(sub for c in cliques for sub in range(c + 1) if sub & c == sub)


def _neighbours(codes: Ints, lists: int) -> Ints:
    near = np.zeros((len(codes), lists), dtype=np.int64)
    for k, pair in enumerate(masks_of_order(lists, 2)):
        has = codes >> k & 1
        for i in members(pair):
            near[:, i] |= has * (pair & ~(1 << i))
    return near


def _chordal(codes: Ints, lists: int) -> tuple[Ints, Ints]:
    near = _neighbours(codes, lists)
    signs = np.zeros((len(codes), 2**lists), dtype=np.int64)
    signs[:, 0] = 1  # a graph of c components has c - 1 empty separators
    left = np.full(len(codes), 2**lists - 1)
    alive = np.ones(len(codes), dtype=bool)
    for _ in range(lists):
        vertex, ok = _simplicial(near, left, lists)
        alive &= ok
        around = near[np.arange(len(codes)), vertex] & left
        rows = np.flatnonzero(alive)
        np.add.at(signs, (rows, (around | 1 << vertex)[rows]), 1)
        np.add.at(signs, (rows, around[rows]), -1)
        left &= ~(1 << vertex)
    return codes[alive], signs[alive]


def _simplicial(near: Ints, left: Ints, lists: int) -> tuple[Ints, np.ndarray]:
    """For every graph a vertex among `left` whose neighbours are all neighbours of each other."""
    vertex = np.zeros(len(near), dtype=np.int64)
    found = np.zeros(len(near), dtype=bool)
    for v in range(lists):
        around = near[:, v] & left
        good = (left >> v & 1).astype(bool) & ~found
        for u in range(lists):
            inside = (around >> u & 1).astype(bool)
            good &= ~inside | ((around & ~near[:, u] & ~(1 << u)) == 0)
        vertex[good] = v
        found |= good
    return vertex, found
