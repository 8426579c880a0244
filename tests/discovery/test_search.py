"""Finding datasets by words, variables, concepts, years, places, regime, and what an algorithm needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode import errors, vocabulary
from fairnode.algorithms.manifest import read_manifest
from fairnode.datasets.description import describe
from fairnode.discovery.fitting import datasets_for, lacks, needs, wanted_by
from fairnode.discovery.harvest import keep_records
from fairnode.discovery.index import rebuild, search_index
from fairnode.discovery.plain import in_plain_words
from fairnode.discovery.search import Wanted, search, search_page
from fairnode.ledger.commit import Entry, commit
from fairnode.policy.odrl import HTPOL
from fairnode.records.algorithm import TableKind
from fairnode.records.rows import Dataset

from .conftest import PREFIXES, record

AT = "https://police.example"
COUNTS = Path(__file__).parents[2] / "algorithms/counts/algorithm.toml"


@pytest.fixture
def full(node):
    """A node that knows three datasets of others."""
    described = f"""{PREFIXES} <{AT}/dataset/c> a dcat:Dataset ; dct:title "Cases in Köln"@en ;
        dct:spatial <http://publications.europa.eu/resource/authority/country/DEU> ;
        dcatap:applicableLegislation <http://data.europa.eu/eli/reg/2016/679/oj> ."""
    told = [
        (f"{AT}/dataset/a", record(f"{AT}/dataset/a", "Presumed victims")),
        (f"{AT}/dataset/b", record(f"{AT}/dataset/b", "Border controls", years=(2018, 2020),
                                   more=", [ fn:column 's' ; fn:variable ht:sex ]")),
        (f"{AT}/dataset/c", described),
    ]  # fmt: skip
    assert keep_records(node, AT, [{"iri": iri, "record": text} for iri, text in told]) == 3
    return node


def titles(node, **wanted) -> list[str]:
    return [found.title for found in search(node, Wanted(**wanted))]


ALL = ["Border controls", "Cases in Köln", "Presumed victims"]

ASKED = {
    "nothing": ({}, ALL),
    "a word": ({"words": ("border",)}, ["Border controls"]),
    "the beginning of a word": ({"words": ("presum",)}, ["Presumed victims"]),
    "a word without its accent": ({"words": ("koln",)}, ["Cases in Köln"]),
    "a Dutch word of the title": ({"words": ("slachtoffers",)}, ["Border controls", "Presumed victims"]),
    "the Dutch label of a variable": ({"words": ("geslacht",)}, ["Border controls"]),
    "the name of the publisher": ({"words": ("the", "police")}, ["Border controls", "Presumed victims"]),
    "words of which one is nowhere": ({"words": ("border", "zebra")}, []),
    "signs only": ({"words": ("!!!",)}, []),
    "a variable": ({"variables": ("sex",)}, ["Border controls"]),
    "an implied variable": ({"variables": ("ageBroad",)}, ["Border controls", "Presumed victims"]),
    "a concept": ({"concepts": ("exploitationForm=sexual",)}, ["Border controls", "Presumed victims"]),
    "a concept that does not occur": ({"concepts": ("exploitationForm=labour",)}, []),
    "a concept where all may occur": ({"concepts": ("sex=female",)}, ["Border controls"]),
    "a year": ({"years": (2019,)}, ["Border controls"]),
    "one of some years": ({"years": (2009, 2010)}, ["Presumed victims"]),
    "a place": ({"places": ("DEU",)}, ["Cases in Köln"]),
    "a place by its IRI": (
        {"places": ("http://publications.europa.eu/resource/authority/country/NLD",)},
        ["Border controls", "Presumed victims"],
    ),
    "a kind of organisation": ({"organisation": "police"}, ["Border controls", "Presumed victims"]),
    "a regime": ({"regime": "GDPR"}, ["Cases in Köln"]),
    "a purpose": ({"purpose": str(HTPOL.TraffickingStatistics)}, ["Border controls", "Presumed victims"]),
    "several things": (
        {"words": ("victims",), "variables": ("year",), "years": (2012,)},
        ["Presumed victims"],
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_a_search_finds_what_has_it_all(case, full) -> None:
    wanted, expected = ASKED[case]
    assert titles(full, **wanted) == expected


def test_a_wider_concept_finds_datasets_with_narrower_ones(node) -> None:
    name = f"{AT}/dataset/a"
    variable = next(v for v in vocabulary.variables().values() if v.kind == "coded" and v.groups)
    wide = sorted(variable.groups)[0]
    narrow = next(c for c in variable.codes if wide in c.broader)
    text = record(
        name,
        more=f""", [ fn:column "z" ; fn:variable ht:{variable.name} ;
        fn:code [ fn:local "x" ; fn:concept <{narrow.iri}> ] ]""",
    )
    keep_records(node, AT, [{"iri": name, "record": text}])
    for notation in (wide, narrow.notation):
        assert len(search(node, Wanted(concepts=(f"{variable.name}={notation}",)))) == 1


def test_unknown_variables_and_codes_are_named(full) -> None:
    for wanted in (
        Wanted(variables=("nonsense",)),
        Wanted(concepts=("sex=nonsense",)),
        Wanted(concepts=("x",)),
    ):
        with pytest.raises(errors.NotFound, match="has no"):
            search(full, wanted)


def test_facets_count_what_was_found(full) -> None:
    counted = counts(full, Wanted())
    assert counted["place"] == {"NLD": 2, "DEU": 1}
    assert counted["organisation"] == {"police": 2}
    assert counted["variable"]["sex"] == 1
    assert counted["year"]["2010"] == counted["year"]["2018"] == 1
    assert "node" not in counted, "one value for all narrows nothing down"


def counts(node, wanted: Wanted, **narrower: Wanted) -> dict[str, dict[str, int]]:
    """The facets of a search."""
    return {f.name: dict(f.values) for f in search_page(node, wanted, 0, narrower=narrower).facets}


def test_a_variable_that_is_wanted_is_narrowed_down_by_its_concepts(full) -> None:
    other, iri = "https://labour.example", "https://labour.example/dataset/l"
    keep_records(full, other, [{"iri": iri, "record": record(iri).replace("Form/Sexual", "Form/Labour")}])
    counted = counts(full, Wanted(variables=("exploitationForm",)))["exploitationForm"]
    assert counted["exploitationForm=sexual"] == 2
    assert counted["exploitationForm=labour"] == 1


def test_facets_say_how_many_datasets_an_algorithm_can_visit(full) -> None:
    manifest = read_manifest(COUNTS.read_bytes())
    found = datasets_for(full, manifest)
    assert counts(full, Wanted(), counts=wanted_by(manifest))["algorithm"] == {"counts": len(found)}
    assert all(not lacks(manifest, one) for one in found)
    rest = [one for one in search(full, Wanted()) if one not in found]
    assert rest
    assert all(lacks(manifest, one) for one in rest)


def test_a_page_of_a_search_says_how_many_there_are(full) -> None:
    page = search_page(full, Wanted(words=("police",)), 1)
    assert (len(page.found), page.number) == (1, 2)
    assert page.facets == ()


def test_own_datasets_are_found_as_soon_as_they_are_published_and_no_longer(full) -> None:
    iri = f"{full.iri}/dataset/own"
    row = Dataset("own", iri, "Own", record(iri, "Our own").encode(), "", {}, 1, "published", "l", "", "")
    commit(full.desk, lambda tx: tx.add(row), Entry("dataset.published", "own", "node"))
    assert titles(full, words=("own",)) == ["Our own"]
    commit(full.desk, lambda tx: tx.change(row, state="withdrawn"), Entry("dataset.withdrawn", "own", "node"))
    assert titles(full, words=("own",)) == []


def test_a_lost_or_damaged_index_is_made_again_from_the_records(full) -> None:
    search_index(full).forget()
    assert titles(full) == ALL
    (full.config.index / "search.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(errors.Unavailable, match="cannot be read"):
        search(full, Wanted())
    assert rebuild(full) == 3
    assert titles(full) == ALL


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), max_size=4))
def test_no_word_is_syntax(full, words) -> None:
    search(full, Wanted(words=tuple(words)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_of_a_member_break_anything(full, content) -> None:
    told = [{"iri": f"{AT}/dataset/z", "record": content.decode("latin-1")}]
    assert keep_records(full, "https://other.example", told) == 0
    assert len(titles(full)) == 3


def test_an_algorithm_finds_the_datasets_it_can_visit_and_the_reverse(full) -> None:
    manifest = read_manifest(COUNTS.read_bytes())
    assert needs(manifest) == ()
    found = {dataset.title: dataset for dataset in search(full, Wanted())}
    assert [d.title for d in datasets_for(full, manifest)] == ["Border controls", "Presumed victims"]
    assert "not bound" in lacks(manifest, found["Cases in Köln"])[0]
    assert lacks(manifest, found["Border controls"]) == ()


def test_an_algorithm_whose_numbers_people_review_finds_its_datasets_too(full) -> None:
    counts = read_manifest(COUNTS.read_bytes())
    reviewed = replace(counts, outputs=tuple(replace(t, kind=TableKind.OTHER) for t in counts.outputs))
    assert datasets_for(full, reviewed) == datasets_for(full, counts) != []


def test_an_algorithm_says_what_a_dataset_lacks(full) -> None:
    needing = COUNTS.read_text().replace('name = "records"', 'name = "records"\nrequired = ["sex"]', 1)
    manifest = read_manifest(needing.encode())
    assert needs(manifest) == ("sex",)
    assert [d.title for d in datasets_for(full, manifest)] == ["Border controls"]
    (other,) = search(full, Wanted(words=("presumed",)))
    assert lacks(manifest, other) == ("it has no sex",)


def test_what_it_takes_to_be_approved_is_said_in_sentences() -> None:
    name = f"{AT}/dataset/a"
    told = in_plain_words(describe(record(name).encode(), name).policy)
    assert told[0].startswith("A study is put to the custodian and counsel, who decide if ")
    assert "trafficking" in told[0]
    assert told[-1] == "Every other study is refused."
    assert "No study can visit" in in_plain_words(None)[0]
