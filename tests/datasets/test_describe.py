"""A data file is described from its own columns: a proposal, questions, and a draft of the record."""

from __future__ import annotations

import re

import pytest

from fairnode.datasets.bindings import read_dataset
from fairnode.datasets.describe import fold, likely_code, match_code
from fairnode.errors import NotValid
from fairnode.jobs import check_source, profile, shacl
from fairnode.records.dataset import Source, to_json
from fairnode.vocabulary import variable

HEADER = (
    "Dossiernr;Achternaam;Geb.datum;Melddatum;Geslacht;Nationaliteit;Soort uitbuiting;Dwang;Eenheid;Notitie"
)
LINES = [
    f"d{n};Naam{n};{1 + n % 28:02}-03-1990;{1 + n % 28:02}-02-2012;{'man' if n % 3 else 'vrouw'};NL;"
    f"{'seksuele uitbuiting' if n % 2 else 'duister'};{'misleiding|drugs' if n % 4 else 'drugs'};"
    f"Limburg;vrij {n}"
    for n in range(100)
]


@pytest.fixture
def described(write_csv):
    source = write_csv(*LINES, header=HEADER)
    iri = "https://node.example/dataset/new"
    return source, profile.run({"source": to_json(source), "iri": iri, "title": 'Zaken "nieuw"'})


def turtle_without_marks(turtle: str) -> str:
    return re.sub("<<|>>", "", turtle.replace("a@b.example>>", "a@b.example>"))


def test_columns_are_recognised_by_name_and_codes_by_label(described) -> None:
    _, result = described
    bound = {binding["variable"]: binding for binding in result["bindings"]}
    assert {"familyName", "birthDate", "identificationDate", "year", "month", "sex", "citizenship", "region",
            "exploitationForm", "meansOfControl", "ageGroup"} <= set(bound)  # fmt: skip
    assert bound["birthDate"]["format"] == "%d-%m-%Y"
    assert bound["sex"]["codes"] == (("man", "male"), ("vrouw", "female"))
    assert bound["citizenship"]["codes"] == (("NL", "NLD"),)
    assert bound["region"]["codes"] == (("Limburg", "NL-LB"),)
    assert bound["exploitationForm"]["codes"] == (("seksuele uitbuiting", "sexual"),)
    assert bound["meansOfControl"]["separator"] == "|"
    assert bound["ageGroup"]["derive"] == "ageGroup"


def test_what_is_not_recognised_becomes_a_question(described) -> None:
    questions = "\n".join(described[1]["questions"])
    assert "'Notitie' is not recognised" in questions
    assert "'Soort uitbuiting' (exploitationForm): which concepts are the codes 'duister'?" in questions


def test_names_and_notes_are_not_among_the_values_of_a_profile(described) -> None:
    columns = {column["name"]: column for column in described[1]["columns"]}
    assert columns["Achternaam"]["values"] == columns["Notitie"]["values"] == ()
    assert columns["Geslacht"]["values"] == ("man", "vrouw")
    assert (columns["Geslacht"]["recorded"], columns["Geslacht"]["distinct"]) == (100, 2)


def test_a_draft_that_is_filled_in_is_a_record_whose_data_fit(described) -> None:
    source, result = described
    turtle = result["turtle"]
    turtle = turtle.replace("<<IRI of the licence>>", "<https://licence.example>").replace(
        "<<address>>", "a@b.example"
    )
    turtle = turtle.replace("<<htpol:GDPR or htpol:WPG>>", "htpol:GDPR").replace("<<2015>>", "2010")
    dataset = read_dataset(turtle_without_marks(turtle))
    assert dataset.title == 'Zaken "nieuw"'
    assert shacl.run({"turtle": turtle_without_marks(turtle), "shape": "dataset"})["findings"] == []
    checked = check_source.run({"dataset": to_json(dataset), "source": to_json(source)})
    assert checked["rows"] == 100
    by_variable = {row["variable"]: row for row in checked["bindings"]}
    assert by_variable["exploitationForm"]["unmapped"] == 1
    assert by_variable["exploitationForm"]["unmapped_rows"] == 50
    assert by_variable["exploitationForm"]["codes"] == ["duister"]
    assert by_variable["sex"]["recorded"] == 100


def test_what_stands_in_the_data_cannot_end_a_comment_of_the_draft(write_csv) -> None:
    source = write_csv(*['"x\n<urn:a> <urn:b> <urn:c> ."'] * 5, header="vorm")
    turtle = profile.run({"source": to_json(source), "iri": "https://n.example/dataset/d", "title": "T"})[
        "turtle"
    ]
    assert not any(line.startswith("<urn:a>") for line in turtle.splitlines())


@pytest.mark.parametrize(
    ("name", "local", "notation"),
    [("sex", "Vrouw", "female"), ("citizenship", "ROU", "ROU"), ("citizenship", "RO", "ROU"),
     ("citizenship", "roemenië", "ROU"), ("region", "Den Haag", "NL-DH"), ("sex", "blauw", None),
     ("ageGroup", "minor", None), ("sex", "", None)],
)  # fmt: skip
def test_a_code_is_matched_by_notation_label_or_crosswalk(name, local, notation) -> None:
    assert match_code(variable(name), local) == notation


def test_dates_that_can_be_read_in_two_ways_are_asked_about(write_csv) -> None:
    source = write_csv("01/02/2012", "03/04/2012", header="Melddatum")
    result = profile.run({"source": to_json(source), "iri": "https://n.example/dataset/d", "title": "T"})
    assert "Column 'Melddatum' can be read as %d/%m/%Y or %m/%d/%Y: which?" in result["questions"]


def test_spellings_are_folded() -> None:
    assert fold("  Geb.Datum ") == fold("GEBDATUM")
    assert fold("Roemenië") == "roemenie"


def test_a_dry_run_counts_what_a_view_would_leave_out(dataset, write_csv) -> None:
    lines = ("p1;03-02-2012;NL-AM;S;17;;j", "p1;03-02-2009;;;;;", ";03-02-2013;;zz;;zz|g;", "p2;;NL-AM;zz;;;")
    checked = check_source.run({"dataset": to_json(dataset), "source": to_json(write_csv(*lines))})
    assert (checked["rows"], checked["persons"], checked["outside_period"]) == (4, 2, 1)
    assert checked["without_person_key"] == 1
    unmapped = {row["variable"]: (row["unmapped"], row["unmapped_rows"]) for row in checked["bindings"]}
    assert unmapped["exploitationForm"] == (1, 2)
    assert unmapped["meansOfControl"] == (1, 1)
    assert unmapped["region"] == (0, 0)


def test_a_dry_run_looks_at_all_columns_that_are_bound(dataset, write_csv) -> None:
    with pytest.raises(NotValid, match="do not have the columns"):
        check_source.run(
            {"dataset": to_json(dataset), "source": to_json(write_csv("a;b", header="id;datum"))}
        )
    with pytest.raises(NotValid, match="no rows"):
        check_source.run({"dataset": to_json(dataset), "source": to_json(write_csv())})


def test_an_empty_column_is_told_as_one(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text('{"jaar": 2012, "leeg": null}\n{"jaar": 2013}\n')
    source = Source("jsonl", path=str(tmp_path / "a.jsonl"))
    result = profile.run({"source": to_json(source), "iri": "https://n.example/dataset/d", "title": "T"})
    assert [column["kind"] for column in result["columns"]] == ["integer", "empty"]


@pytest.mark.parametrize(
    ("local", "notation"),
    [("seksueel", "sexual"), ("arbeid", None), ("orgaanroof", "organ"), ("crimineel", "criminal"), ("orgaan", "organ"),
     ("gedwongen", None), ("xyz", None), ("", None), ("se", None)],
)  # fmt: skip
def test_the_most_alike_code_is_proposed_but_never_taken_unasked(local, notation) -> None:
    assert likely_code(variable("exploitationForm"), local) == notation
    assert match_code(variable("exploitationForm"), local) is None
