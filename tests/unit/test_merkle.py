"""The Merkle tree against RFC 9162: its own definitions, and the test vectors of Certificate Transparency."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.ledger import merkle

SIZES = range(34)


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([i])) for i in range(size)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


# Inputs and roots of the reference tests of Certificate Transparency (merkle_tree_test.cc).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_the_reference(size) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", SIZES)
def test_root_and_peaks_agree_with_the_definition(size) -> None:
    leaves = leaves_of(size)
    assert merkle.root(leaves) == by_definition(leaves)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proven_to_be_in_the_tree_and_nowhere_else(size) -> None:
    leaves = leaves_of(size)
    top = merkle.root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(leaves, index)
        assert merkle.check_inclusion(leaf, index, size, proof, top)
        assert not merkle.check_inclusion(merkle.leaf_hash(b"other"), index, size, proof, top)
        assert not merkle.check_inclusion(leaf, index, size, [*proof, top], top)
        assert not merkle.check_inclusion(leaf, size, size, proof, top)
        assert size == 1 or not merkle.check_inclusion(leaf, index, size, proof[:-1], top)
        assert not merkle.check_inclusion(leaf, (index + 1) % size, size, proof, top) or size == 1


@pytest.mark.parametrize("later", SIZES)
def test_every_earlier_tree_is_proven_to_be_the_beginning(later) -> None:
    leaves = leaves_of(later)
    new = merkle.root(leaves)
    for earlier in range(later + 1):
        old, proof = merkle.root(leaves[:earlier]), merkle.consistency_proof(leaves, earlier)
        assert merkle.check_consistency((earlier, later), (old, new), proof)
        if 0 < earlier < later:
            forged = merkle.leaf_hash(b"forged")
            assert not merkle.check_consistency((earlier, later), (forged, new), proof)
            assert not merkle.check_consistency((earlier, later), (old, forged), proof)
            assert not merkle.check_consistency((earlier, later), (old, new), [*proof, forged])
            assert not merkle.check_consistency((earlier, later), (old, new), [])
    assert not merkle.check_consistency((later + 1, later), (new, new), [])
    assert later == 0 or not merkle.check_consistency((later, later), (new, merkle.leaf_hash(b"x")), [])


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=80), st.data())
def test_a_rewritten_beginning_is_never_proven(contents, data) -> None:
    leaves = [merkle.leaf_hash(c) for c in contents]
    earlier = data.draw(st.integers(1, len(leaves) - 1))
    position = data.draw(st.integers(0, earlier - 1))
    rewritten = [*leaves]
    rewritten[position] = merkle.leaf_hash(contents[position] + b"!")
    roots = (merkle.root(leaves[:earlier]), merkle.root(rewritten))
    proof = merkle.consistency_proof(rewritten, earlier)
    assert not merkle.check_consistency((earlier, len(leaves)), roots, proof)


@given(st.lists(st.binary(max_size=8), max_size=80))
def test_adding_leaves_one_by_one_gives_the_root_of_all(contents) -> None:
    leaves = [merkle.leaf_hash(c) for c in contents]
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        peaks = merkle.add_peak(peaks, size, leaf)
        assert merkle.root_of_peaks(peaks) == merkle.root(leaves[: size + 1])
    assert len(peaks) == len(leaves).bit_count()


def test_leaves_and_nodes_are_hashed_apart() -> None:
    one, two = leaves_of(2)
    assert merkle.node_hash(one, two) != merkle.leaf_hash(one + two)
    assert all(a != b for a, b in pairwise(ROOTS))
