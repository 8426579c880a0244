"""Makes the pages of the ontology, which every node serves: `site/*.html`, readable without JavaScript."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fairnode import vocabulary
from ontology.generate import tables
from ontology.generate.kinds import KINDS
from ontology.generate.turtle import ROOT, VERSION

PAGES = (
    ("index.html", "Overview"),
    ("variables.html", "Variables"),
    ("codes.html", "Codes"),
    ("policy.html", "Policy terms"),
    ("records.html", "Records"),
)
NAMESPACES = (
    ("ht", vocabulary.HT, "classes and variables"),
    ("code", vocabulary.CODE, "code lists, and the codes below them"),
    ("fn", vocabulary.FN, "the records of a node"),
    ("htpol", vocabulary.HTPOL, "policy terms"),
)
SIGNS = {"exact": "=", "close": "≈", "broad": "within", "narrow": "holds"}


def write_all(root: Path) -> None:
    """Write every page below `root/site`, from the tables and `root/index.json`."""
    site = root / "site"
    site.mkdir(exist_ok=True)
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["local"] = lambda iri: iri.rpartition("#")[2].rpartition("/")[2]
    environment.filters["within"] = lambda iri: iri.removeprefix(vocabulary.CODE)
    facts = _facts()
    for file, _ in PAGES:
        (site / file).write_text(environment.get_template(file).render(here=file, **facts), encoding="utf-8")


def _facts() -> dict[str, object]:
    lists = [
        {"name": each.name, "words": each.words, "codes": vocabulary.schemes()[each.name]}
        for each in tables.schemes()
    ]
    return {
        "version": VERSION,
        "pages": PAGES,
        "namespaces": NAMESPACES,
        "signs": SIGNS,
        "base": "../",
        "variables": sorted(vocabulary.variables().values(), key=lambda each: each.name.lower()),
        "lists": sorted(lists, key=lambda each: str(each["name"]).lower()),
        "code_count": sum(map(len, vocabulary.schemes().values())),
        "terms": {name: _terms(name) for name in ("core", "node", "policy")},
        "records": _records(),
        "forms": {kind: _form(kind) for kind in {each.kind for each in tables.properties()}},
        "sources": [each for each in tables.sources().values() if each.key != "own"],
    }


def _terms(name: str) -> list[vocabulary.Term]:
    """The terms of one table, in its order."""
    curies = [term.curie for term in tables.terms(name)]
    return [
        vocabulary.term(vocabulary.PREFIXES[p] + n) for p, _, n in (each.partition(":") for each in curies)
    ]


def _records() -> list[tuple[str, list[tuple[tables.Shape, list[tables.Property]]]]]:
    """Each kind of record with its parts, and each part with its fields."""
    records: dict[str, list[tuple[tables.Shape, list[tables.Property]]]] = {}
    for shape in tables.shapes():
        fields = [each for each in tables.properties() if each.shape == shape.name]
        records.setdefault(shape.file, []).append((shape, fields))
    return list(records.items())


def _form(kind: str) -> object:
    """A function from the value column to the words for the form of a field."""
    if kind not in KINDS:
        return lambda _: "anything"
    return lambda value: KINDS[kind](value).en.removeprefix("be ")
