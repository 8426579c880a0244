"""Hierarchical log-linear models as sets of masks: naming, parsing and listing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, combinations

from .errors import MethodError
from .patterns import masks_of_order, members


def main_effects(lists: int) -> frozenset[int]:
    """The independence model: intercept (mask 0) and one term a list."""
    return frozenset([0, *masks_of_order(lists, 1)])


def is_hierarchical(terms: frozenset[int]) -> bool:
    """Whether every term's sub-terms are in the model too."""
    return all(term & ~(1 << i) in terms for term in terms for i in members(term))


def term_name(mask: int, lists: tuple[str, ...]) -> str:
    """The name people read, such as `LA:NG`; the intercept is `(Intercept)`."""
    return ":".join(lists[i] for i in members(mask)) or "(Intercept)"


def interactions(terms: Iterable[int], lists: tuple[str, ...]) -> list[str]:
    """Names of the terms of two or more lists, pairs first, in the order of the lists."""
    chosen = [term for term in terms if term.bit_count() > 1]
    return [term_name(term, lists) for term in sorted(chosen, key=lambda m: (m.bit_count(), members(m)))]


def parse_model(text: str, lists: tuple[str, ...]) -> frozenset[int]:
    """Read `LA:NG, NG:GP` (also `+` between terms; empty or `1` = main effects) as a hierarchical model.

    Lower terms are added. Raises MethodError on an unknown list or when the model fits every cell.
    """
    terms = set(main_effects(len(lists)))
    for part in text.replace("+", ",").split(","):
        if part.strip() in ("", "1"):
            continue
        mask = _parse_term(part, lists)
        terms |= {sub for sub in range(mask + 1) if sub & mask == sub}
    if len(terms) == 2 ** len(lists):
        raise MethodError(
            "model-saturated",
            f"The model {text!r} has a term for every pattern; leave out "
            "the term of all lists, otherwise nothing is left to tell the unseen from.",
        )
    return frozenset(terms)


def _parse_term(text: str, lists: tuple[str, ...]) -> int:
    mask = 0
    for name in (piece.strip() for piece in text.split(":")):
        if name not in lists:
            raise MethodError(
                "model-unknown-list",
                f"The model names a list {name!r} that the table does "
                f"not have; its lists are {', '.join(lists)}.",
            )
        mask |= 1 << lists.index(name)
    return mask


def _subsets(items: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def hierarchical_models(lists: int, max_order: int) -> Iterator[frozenset[int]]:
    """Every hierarchical model with all main effects and no term above `max_order` (2 or 3).

    Pairs only: 8, 64, 1,024, 32,768 models for 3..6 lists; with three-list terms 113 and 6,212 for 4 and 5.
    """
    base = main_effects(lists)
    triples = masks_of_order(lists, 3) if max_order >= 3 else ()
    for pairs in _subsets(masks_of_order(lists, 2)):
        present = base.union(pairs)
        eligible = tuple(t for t in triples if all(t & ~(1 << i) in present for i in members(t)))
        for chosen in _subsets(eligible):
            yield present.union(chosen)
