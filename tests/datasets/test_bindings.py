"""Bindings are read from the record as it was received; what is wrong with them is said in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.datasets.bindings import read_dataset
from fairnode.datasets.describe import binding_turtle, text_turtle
from fairnode.datasets.source import guess_source, read_source
from fairnode.datasets.views import compile_view, offered
from fairnode.errors import NotValid
from fairnode.records.dataset import Binding, Source, View, dataset_from, source_from, to_json, view_from
from fairnode.vocabulary import variable

RECORD = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix fn: <https://w3id.org/fairnode/node#> . @prefix ht: <https://w3id.org/fairnode/ontology#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<https://node.example/dataset/d> a dcat:Dataset ; dct:title "D"@en ; fn:synthetic true ;
  fn:unit ht:Registration ;
  dct:temporal [ dcat:startDate "2010"^^xsd:gYear ; dcat:endDate "2015-12-31"^^xsd:date ] ;
  fn:reportingOrganisationType <https://w3id.org/fairnode/code/reportingOrganisation/Police> ;
  fn:binding %s .
"""
FORM = "<https://w3id.org/fairnode/code/exploitationForm/Sexual>"


def read(*bindings: str) -> object:
    return read_dataset(RECORD % " , ".join(f"[ {binding} ]" for binding in bindings))


def test_a_record_is_read_whole() -> None:
    dataset = read(
        'fn:column "vorm" ; fn:variable ht:exploitationForm ; fn:missing "" , "nb" ; fn:strict true ;'
        f' fn:code [ fn:local " seks " ; fn:concept {FORM} ]',
        'fn:column "datum" ; fn:variable ht:identificationDate ; fn:format "%d-%m-%Y"',
    )
    assert (dataset.iri, dataset.unit, dataset.years) == (
        "https://node.example/dataset/d",
        "registration",
        (2010, 2015),
    )
    assert (dataset.reporting, dataset.synthetic, dataset.title) == ("police", True, "D")
    assert dataset.bindings == (
        Binding("datum", "identificationDate", format="%d-%m-%Y"),
        Binding("vorm", "exploitationForm", codes=(("seks", "sexual"),), missing=("", "nb"), strict=True),
    )
    assert offered(dataset) == (
        "exploitationForm",
        "identificationDate",
        "month",
        "reportingOrganisation",
        "year",
    )
    assert dataset_from(json.loads(json.dumps(to_json(dataset)))) == dataset


A = 'fn:column "a" ; fn:variable ht:'
CONCEPT = "https://w3id.org/fairnode/code"
FORMS = f"{CONCEPT}/exploitationForm"
CODE = f'fn:code [ fn:local "x" ; fn:concept {FORM} ]'


@pytest.mark.parametrize(
    ("bindings", "what"),
    [
        ([f"{A}colour"], "is bound to 'colour', which the ontology has not"),
        (['fn:column "a"'], "a binding needs fn:column and fn:variable"),
        (["fn:variable ht:sex"], "a binding needs fn:column and fn:variable"),
        ([f"{A}sex", 'fn:column "b" ; fn:variable ht:sex'], "is bound 2 times; one column"),
        ([f"{A}sex", f"{A}region"], "is bound 2 times; derive all but one"),
        ([f'{A}sex ; fn:code [ fn:local "m" ]'], "a code needs fn:local and fn:concept"),
        ([f"{A}sex", 'fn:column "A" ; fn:variable ht:region'], "differ in capitals only"),
        (['fn:column "__row" ; fn:variable ht:sex'], "a name that the node uses itself"),
        ([f"{A}sex ; {CODE}"], "is not in the code list of sex"),
        ([f'{A}sex ; fn:code [ fn:local "m" ; fn:concept <urn:m> ]'], "is no concept of the ontology"),
        (
            [f'{A}ageGroup ; fn:code [ fn:local "x" ; fn:concept <{CONCEPT}/ageGroup/Minor> ]'],
            "stands for several codes of ageGroup",
        ),
        ([f'{A}year ; fn:derive "year"'], "not bound as a date and has no fn:format"),
        ([f'{A}sex ; fn:derive "year"'], "derives 'year' for another variable"),
        ([f'{A}sex ; fn:derive "sex"'], "'sex' cannot be derived"),
        ([f'{A}ageGroup ; fn:derive "ageGroup" ; fn:format "%Y"'], "ht:identificationDate must be bound"),
        ([f"{A}year ; {CODE}"], "is not in the code list of year"),
        ([f'{A}sex ; fn:separator "|"'], "holds one value a row"),
        ([f'{A}exploitationForm ; fn:missing "x" ; {CODE}'], "is also said to mean missing"),
        (
            [f'{A}exploitationForm ; {CODE} , [ fn:local "x" ; fn:concept <{FORMS}/Other> ]'],
            "the local code 'x' stands for 2 concepts",
        ),
    ],
)
def test_what_is_wrong_with_a_binding_is_said(bindings, what) -> None:
    with pytest.raises(NotValid) as wrong:
        read(*bindings)
    assert what in str(wrong.value)
    assert all(finding.where for finding in wrong.value.findings)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(NotValid) as wrong:
        read('fn:column "a" ; fn:variable ht:colour', 'fn:column "b" ; fn:variable ht:sex ; fn:derive "sex"')
    assert len(wrong.value.findings) == 2


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("ht:Registration", "ht:Thing", "fn:unit"),
        ("2015-12-31", "2009-12-31", "dct:temporal"),
        ("reportingOrganisation/Police", "reportingOrganisation/Baker", "no concept"),
        ("a dcat:Dataset ;", "", "describes 0 datasets"),
        ("dct:title", "dct:title [", "not well-formed Turtle"),
        ("dct:title", "unknown:title", "not well-formed Turtle"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(before, after, what) -> None:
    record = RECORD % '[ fn:column "a" ; fn:variable ht:sex ]'
    with pytest.raises(NotValid) as wrong:
        read_dataset(record.replace(before, after))
    assert what in str(wrong.value)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20).map(
    str.strip
)


@given(column=texts.filter(bool), local=texts.filter(bool), missing=texts)
def test_any_column_and_code_survives_the_way_through_turtle(column, local, missing) -> None:
    written = Binding(column, "sex", codes=((local, "male"),), missing=(missing,) if missing != local else ())
    record = RECORD % binding_turtle(written)
    assert read_dataset(record).bindings == (written,)
    assert "\n" not in text_turtle(column)


def test_a_changed_binding_changes_the_digest_that_an_approval_binds() -> None:
    one = read('fn:column "a" ; fn:variable ht:sex ; fn:missing "x"')
    two = read('fn:column "a" ; fn:variable ht:sex ; fn:missing "y"')
    view = View(("sex",))
    assert compile_view(one, view).digest == compile_view(one, view).digest
    assert compile_view(one, view).digest != compile_view(two, view).digest
    narrow = View(("sex",), filter=(("sex", ("male",)),))
    assert compile_view(one, view).digest != compile_view(one, narrow).digest
    assert view_from(json.loads(json.dumps(to_json(narrow)))) == narrow


def test_a_source_is_read_from_toml_and_stays_relative_to_its_folder(tmp_path) -> None:
    source = read_source(
        '[source]\nkind = "csv"\npath = "a.csv"\nencoding = "cp1252"\ndelimiter = ";"\n', tmp_path
    )
    assert source == Source("csv", path=str(tmp_path / "a.csv"), encoding="cp1252", delimiter=";")
    assert source_from(to_json(source)) == source
    assert guess_source(Path("a.TSV")) == Source("csv", path="a.TSV", delimiter="\t")


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        ("[source", None),
        ("source = 1", None),
        ('[source]\nkind = ["csv"]', "source.kind"),
        ("", "source.kind"),
        ('[source]\nkind = "word"', "source.kind"),
        ('[source]\nkind = "csv"', "source.path"),
        ('[source]\nkind = "sqlite"\npath = "a"', "source.table"),
        ('[source]\nkind = "postgresql"\ntable = "a"', "source.dsn"),
        ('[source]\nkind = "csv"\npath = "a"\ndelimiter = "||"', "source.delimiter"),
        ('[source]\nkind = "csv"\npath = "a"\nencoding = "martian"', "source.encoding"),
        ('[source]\nkind = "csv"\npath = "a"\nencoding = "base64"', "source.encoding"),
        ('[source]\nkind = "csv"\npath = 7', "source.path"),
        ('[source]\nkind = "csv"\npath = "a"\ncolour = "red"', "source.colour"),
    ],
)
def test_a_source_that_is_not_complete_is_refused(toml, where, tmp_path) -> None:
    with pytest.raises(NotValid) as wrong:
        read_source(toml, tmp_path)
    assert [finding.where for finding in wrong.value.findings][:1] == ([where] if where else [])


def test_a_file_of_unknown_ending_is_not_guessed() -> None:
    with pytest.raises(NotValid, match="ending"):
        guess_source(Path("cases.doc"))


def test_all_concepts_can_be_bound() -> None:
    for name in ("sex", "region", "exploitationForm", "meansOfControl", "citizenship"):
        codes = tuple(sorted((f"x{n}", notation) for n, notation in enumerate(variable(name).notations)))
        assert (
            read_dataset(RECORD % binding_turtle(Binding("a", name, codes=codes))).bindings[0].codes == codes
        )
