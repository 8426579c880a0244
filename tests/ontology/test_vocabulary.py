"""What `fairnode.vocabulary` promises to bindings, views and studies."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairnode import vocabulary
from fairnode.errors import NotFound

FIRST = {
    "exploitationForm": "sexual labour domestic criminal begging organ marriage adoption surrogacy military "
    "other unknown",
    "sex": "female male other unknown",
    "ageGroup": "0-8 9-11 12-14 15-17 18-20 21-22 23 24-26 27-29 30-38 39-47 48+ unknown",
    "ageBroad": "minor adult unknown",
    "region": "NL-NN NL-ON NL-MN NL-NH NL-AM NL-DH NL-RT NL-ZWB NL-OB NL-LB NL-LE unknown",
    "recruiterRelation": "partner family friend other unknown",
    "reportingOrganisation": "police border-police labour-inspectorate regional-coordinator shelter other",
    "consent": "yes no unknown",
}


@pytest.mark.parametrize("name", FIRST)
def test_the_first_variables_have_the_agreed_codes_in_reading_order(name):
    assert " ".join(vocabulary.variable(name).notations) == FIRST[name]


def test_every_coded_variable_has_codes_and_no_other_has():
    for variable in vocabulary.variables().values():
        assert bool(variable.codes) == (variable.kind == "coded"), variable.name


def test_every_variable_and_code_is_labelled_in_english_and_dutch():
    for variable in vocabulary.variables().values():
        assert variable.label_en, variable.name
        assert variable.label_nl, variable.name
        assert variable.definition, variable.name
        assert variable.definition_nl, variable.name
        for code in variable.codes:
            assert code.label_en, code.iri
            assert code.label_nl, code.iri


def test_direct_identifiers_are_sensitive():
    for variable in vocabulary.variables().values():
        if variable.kind in ("key", "identifier"):
            assert variable.sensitive, variable.name


def test_citizenship_knows_every_country_by_three_letters_and_finds_it_by_two():
    codes = {code.notation: code for code in vocabulary.variable("citizenship").codes}
    countries = [notation for notation in codes if re.fullmatch("[A-Z]{3}", notation)]
    assert len(countries) == 249
    assert {"stateless", "unknown"} < set(codes)
    assert "NL" in codes["NLD"].also
    assert "NA" in codes["NAM"].also
    assert codes["ROU"].label_nl == "Roemenië"


def test_a_group_of_codes_stands_for_the_values_below_it():
    ages = vocabulary.variable("ageGroup")
    assert ages.within("minor") == ("0-8", "9-11", "12-14", "15-17")
    assert ages.within("18-22") == ("18-20", "21-22")
    assert ages.within("23") == ("23",)
    assert "unknown" not in ages.within("adult")
    assert not ages.groups & set(ages.notations)
    with pytest.raises(NotFound):
        ages.within("17-23")


@pytest.mark.parametrize(("coarse", "years"), [("ageBroad", 18), ("ageGroupNL", 23), ("ageGroupCTDC", 27)])
def test_coarser_ages_follow_from_the_canonical_ones_without_crossing_a_border(coarse, years):
    derived = vocabulary.coarser("ageGroup", coarse)
    assert set(derived) == set(vocabulary.variable("ageGroup").notations)
    below = {
        derived[band] for band in derived if band[0].isdigit() and int(re.match(r"\d+", band)[0]) < years
    }
    above = {
        derived[band] for band in derived if band[0].isdigit() and int(re.match(r"\d+", band)[0]) >= years
    }
    assert not below & above


def test_a_variable_that_cannot_be_derived_completely_is_refused():
    with pytest.raises(NotFound):
        vocabulary.coarser("sex", "ageBroad")


def test_codes_lead_to_the_same_thing_in_other_standards():
    sexual = vocabulary.concept("https://w3id.org/fairnode/code/exploitationForm/Sexual")
    exact = {iri for kind, iri in sexual.matches if kind == "exact"}
    assert f"{vocabulary.CODE}htcds-vic_TypeOfExploitation/SexualExploitation" in exact


def test_what_does_not_exist_is_told_by_name():
    with pytest.raises(NotFound, match="yeer"):
        vocabulary.variable("yeer")
    with pytest.raises(NotFound, match="nowhere"):
        vocabulary.concept("https://w3id.org/fairnode/code/nowhere/X")
    with pytest.raises(NotFound, match="Nothing"):
        vocabulary.term("https://w3id.org/fairnode/policy#Nothing")


def test_policy_terms_have_words_for_pages_in_both_languages():
    term = vocabulary.term("https://w3id.org/fairnode/policy#StatisticsOnly")
    assert (term.label_en, term.label_nl) == ("statistics only", "alleen statistiek")


PROBE = (
    "import json, sys, time; begin = time.perf_counter(); from fairnode import vocabulary;"
    "ready = time.perf_counter(); vocabulary.variables(); end = time.perf_counter();"
    "told = {'seconds': end - ready, 'folder': str(vocabulary.folder()), 'rdflib': 'rdflib' in sys.modules};"
    "print(json.dumps(told))"
)


def probe(root):
    """What a fresh process says that sees the package at `root`."""
    code = f"import sys; sys.path.insert(0, {str(root)!r}); {PROBE}"
    command = [sys.executable, "-I", "-c", code]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def test_the_vocabulary_is_read_without_rdflib():
    root = Path(vocabulary.__file__).parents[1]
    assert not probe(root)["rdflib"]


def test_an_installed_package_finds_the_ontology_inside_itself(tmp_path):
    package = tmp_path / "site" / "fairnode"
    (package / "_share" / "ontology").mkdir(parents=True)
    here = Path(vocabulary.__file__).parent
    for name in ("__init__.py", "errors.py", "vocabulary.py"):
        shutil.copy(here / name, package)
    shutil.copy(vocabulary.folder() / "index.json", package / "_share" / "ontology")
    assert Path(probe(tmp_path / "site")["folder"]) == package / "_share" / "ontology"


def test_reading_it_twice_costs_nothing():
    vocabulary.variables()
    begin = time.process_time()
    for _ in range(1000):
        vocabulary.variables()
    assert time.process_time() - begin < 0.1
