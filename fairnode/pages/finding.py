"""Looking for datasets and algorithms."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request, url_for

from fairnode import errors, vocabulary
from fairnode.algorithms.fitting import fit, look
from fairnode.algorithms.known import listed, manifest
from fairnode.approvals import known_names
from fairnode.approvals.algorithm_reviews import standing
from fairnode.discovery.search import Facet, Wanted
from fairnode.door.asking import number
from fairnode.metadata.names import EU
from fairnode.metadata.plain import term_label
from fairnode.pages.desk import Desk, Page, show

AT_ONCE = 20
SHOWN = 8
_SINGLE = ("organisation", "regime", "unit", "access", "purpose", "keyword", "node", "algorithm")
_SEVERAL = ("variable", "concept", "place", "year")
_HEADINGS = {
    "organisation": "Kind of organisation",
    "variable": "Variable",
    "year": "Year",
    "place": "Place",
    "regime": "Legal regime",
    "unit": "One row is",
    "access": "Access",
    "purpose": "Purpose that may be asked for",
    "keyword": "Keyword",
    "node": "Node",
    "algorithm": "Can be visited by",
}


@dataclass(frozen=True)
class Way:
    """A link that changes a search: what it is called, where it leads, how many datasets are there then."""

    label: str
    url: str
    number: int = 0


def search(desk: Desk) -> Page:
    """Search the datasets of the whole network, and narrow down by what they have."""
    told = _asked()
    at = number("page", 0, 0, 10**6)
    page = look(desk.node, _wanted(told), "".join(told["algorithm"]), AT_ONCE, at * AT_ONCE)
    return show(
        desk,
        "search.html",
        query=" ".join(told["q"]),
        told=told,
        page=page,
        shown=SHOWN,
        narrower=[_facet(told, facet, page.number) for facet in page.facets],
        chosen=[_without(told, name, value) for name in (*_SEVERAL, *_SINGLE) for value in told[name]],
        before=_url(told, page=at - 1) if at else "",
        after=_url(told, page=at + 1) if page.number > (at + 1) * AT_ONCE else "",
    )


def _asked() -> dict[str, list[str]]:
    """What the address asks for, by name; what the ontology does not know is left out."""
    told = {name: [v[:300] for v in request.args.getlist(name)[:20] if v] for name in (*_SEVERAL, *_SINGLE)}
    told["q"] = " ".join(request.args.get("q", "").split())[:200].split()
    words = request.args.get("years", "")[:60].replace(",", " ").split()
    told["year"] = [year for year in [*told["year"], *words] if year.isdecimal() and len(year) == 4]
    told["variable"] = [name for name in told["variable"] if name in vocabulary.variables()]
    told["concept"] = [concept for concept in told["concept"] if _known(concept)]
    return {name: list(dict.fromkeys(values)) for name, values in told.items()} | {
        name: told[name][:1] for name in _SINGLE
    }


def _known(concept: str) -> bool:
    """Whether the ontology has a concept, given as `variable=notation`."""
    name, _, notation = concept.partition("=")
    return name in vocabulary.variables() and notation in vocabulary.variable(name).notations


def _wanted(told: dict[str, list[str]]) -> Wanted:
    """The search that was asked for; which algorithm is to visit is not part of it."""
    single = {name: "".join(told[name]) for name in _SINGLE}
    return Wanted(
        words=tuple(told["q"]),
        variables=tuple(told["variable"]),
        concepts=tuple(told["concept"]),
        places=tuple(told["place"]),
        years=tuple(int(year) for year in told["year"]),
        organisation=single["organisation"],
        regime=single["regime"],
        unit=single["unit"],
        access=single["access"],
        purpose=single["purpose"],
        keyword=single["keyword"],
        node=single["node"],
    )


def _url(told: dict[str, list[str]], **more: object) -> str:
    """The address of a search."""
    pairs = [("q", " ".join(told["q"]))] if told["q"] else []
    pairs += [(name, value) for name in (*_SEVERAL, *_SINGLE) for value in told[name]]
    pairs += [(name, str(value)) for name, value in more.items()]
    return f"{url_for('pages.search')}?{urlencode(pairs)}"


def _without(told: dict[str, list[str]], name: str, value: str) -> Way:
    """The way back out of something that was chosen."""
    less = told | {name: [other for other in told[name] if other != value]}
    return Way(f"{_heading(name)}: {_called(name, value)}", _url(less))


def _facet(told: dict[str, list[str]], facet: Facet, all_found: int) -> tuple[str, list[Way]]:
    """A facet as ways to narrow the search down; what is chosen, or the same for all, is left out."""
    name = facet.name if facet.name in _HEADINGS else "concept"
    ways = []
    for value, count in facet.values:
        more = [value] if name in _SINGLE else [*told[name], value]
        if 0 < count < all_found and not value.endswith("=*"):
            ways.append(Way(_called(name, value), _url(told | {name: more}), count))
    return _heading(facet.name), sorted(ways, key=lambda w: w.label) if name == "year" else ways


def _heading(name: str) -> str:
    """What a facet is called; that of a variable's concepts as the variable."""
    return "Value" if name == "concept" else _HEADINGS.get(name) or term_label(name).capitalize()


def _called(name: str, value: str) -> str:
    """What a value of a facet is called."""
    if name == "concept":
        variable, _, notation = value.partition("=")
        return {code.notation: code.label_en for code in vocabulary.variable(variable).codes}.get(
            notation, value
        )
    if name == "organisation":
        return _called("concept", f"reportingOrganisation={value}")
    if name == "place":
        return term_label(f"{EU}country/{value}")
    if name == "access":
        return term_label(f"{EU}access-right/{value}")
    return term_label(value) if name in ("variable", "regime", "purpose") else value


def found(desk: Desk) -> Page:
    """One dataset of the network, as this node knows it: what it would take to visit it, and what could."""
    told = fit(desk.node, request.args.get("iri", "")[:1000])
    return show(desk, "found.html", found=told.found, policy=told.policy, algorithms=told.algorithms)


def algorithms(desk: Desk) -> Page:
    """The algorithms that a study may name, or of these, those that can visit a dataset."""
    iri = request.args.get("dataset", "")[:1000]
    if iri:
        told = fit(desk.node, iri)
        rows = [row for row, lacks in told.algorithms if not lacks]
        return show(desk, "algorithms.html", known=[(row, manifest(row)) for row in rows], dataset=told.found)
    known = [(row, manifest(row)) for row in listed(desk.node) if row.state == "known"]
    return show(desk, "algorithms.html", known=known, dataset=None)


def algorithm(desk: Desk, key: str) -> Page:
    """One algorithm in plain words."""
    for row in listed(desk.node):
        if row.id == key and row.state == "known":
            told = standing(desk.node, row)
            names = known_names(desk.node)
            return show(desk, "algorithm.html", row=row, manifest=manifest(row), reviews=told, names=names)
    raise errors.NotFound("This node knows no such algorithm.")
