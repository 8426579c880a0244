"""What an algorithm.toml must say, and what a study's parameters must be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode import errors, vocabulary
from fairnode.algorithms.contract import output_contract
from fairnode.algorithms.manifest import check_parameters, read_manifest, with_identity
from fairnode.discovery.fitting import needs
from fairnode.records.algorithm import TableKind
from fairnode.share import shared

TEXT = (Path(__file__).parents[2] / "algorithms/counts/algorithm.toml").read_text()


def changed(old: str, new: str) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new).encode()


def places(text: bytes) -> list[str]:
    with pytest.raises(errors.NotValid) as caught:
        read_manifest(text)
    return [finding.where for finding in caught.value.findings]


def test_the_manifest_of_counts_is_read():
    manifest = read_manifest(TEXT.encode())
    assert manifest.name == "counts"
    assert manifest.outputs[0].kind is TableKind.COUNT
    assert manifest.outputs[0].dimensions_parameter == "dimensions"
    assert manifest.resources.memory_mib == 512


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "counts"\n', "", "algorithm"),
        ('name = "counts"\n', 'name = "counts\\n"\n', "algorithm.name"),
        ('version = "1.0.0"', 'version = "one"', "algorithm.version"),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"', "algorithm"),
        ('source = "https', 'source = "file', "algorithm.source"),
        ('entrypoint = ["python3", "/opt/algorithm/counts.py"]', "entrypoint = []", "image.entrypoint"),
        ("[image]\n", '[image]\nidentity = "latest"\n', "image.identity"),
        ('kind = "count"', 'kind = "records"', "outputs.0.kind"),
        ('kind = "count"', 'kind = "sum"', "outputs.0.measure"),
        ('kind = "count"', 'kind = "proportion"', "outputs.0.numerator"),
        ('kind = "count"', 'kind = "count"\nmeasure = "age"', "outputs.0.measure"),
        ('input = "records"', 'input = "files"', "outputs.0.input"),
        ('"parameter:dimensions"', '"parameter:other"', "outputs.0.dimensions"),
        ('fits = ["visit", "combine"]', 'fits = ["always"]', "stages.fits.0"),
        ("memory_mib = 512", "memory_mib = -1", "resources.memory_mib"),
        ("memory_mib = 512", 'memory_mib = "all"', "resources.memory_mib"),
        ("minItems = 1", 'pattern = "(a+)+$"', "parameters"),
        ("minItems = 1", '"$ref" = "https://example.org/schema"', "parameters"),
        ("minItems = 1", 'minItems = "one"', "parameters.properties.dimensions.minItems"),
    ],
)
def test_each_fault_is_told_with_its_place(old, new, place):
    assert place in places(changed(old, new))


def test_an_input_or_table_named_twice_is_told():
    block = TEXT[TEXT.index("[[outputs]]") : TEXT.index("[stages]")]
    assert places(changed(block, block + block)) == ["outputs"]


def test_what_is_no_toml_or_too_large_is_told():
    for text in (b"a = ", b"\xff", b"x" * 300_000):
        with pytest.raises(errors.NotValid):
            read_manifest(text)


@pytest.mark.parametrize(
    "more",
    [
        "[x" + ".a" * 50_000 + "]\n",
        "[algorithm.name" + ".a" * 50_000 + "]\n",
        "x = " + "[" * 5_000 + "]" * 5_000 + "\n",
        "x = " + "{a=" * 3_000 + "1" + "}" * 3_000 + "\n",
        "[parameters" + ".items" * 20_000 + "]\n",
        "[parameters" + ".items" * 400 + "]\n",
    ],
    ids=["a key", "a name", "lists", "tables", "a schema", "a shorter schema"],
)
def test_a_manifest_nested_without_end_is_told(more):
    with pytest.raises(errors.NotValid):
        read_manifest(more.encode())


@given(st.binary(max_size=300))
def test_no_bytes_bring_the_reader_down(noise):
    with pytest.raises(errors.NotValid):
        read_manifest(noise)


def test_the_identity_of_the_built_image_is_written_into_the_manifest():
    identity = "sha256:" + "a" * 64
    bound = with_identity(TEXT.encode(), identity)
    assert read_manifest(bound).identity == identity
    assert with_identity(bound, identity) == bound
    with pytest.raises(errors.NotValid):
        with_identity(bound, "sha256:" + "b" * 64)


def test_parameters_out_of_schema_are_told():
    manifest = read_manifest(TEXT.encode())
    check_parameters(manifest, {"dimensions": ["region"]})
    for wrong in ({}, {"dimensions": []}, {"dimensions": ["a", "a"]}, {"dimensions": ["a"], "more": 1}):
        with pytest.raises(errors.NotValid):
            check_parameters(manifest, wrong)


def test_the_contract_has_the_studys_dimensions_and_all_their_codes():
    manifest = read_manifest(TEXT.encode())
    codes = {"region": ["NL-AM", "NL-DH"], "year": ["2010"]}
    contract = output_contract(manifest, {"dimensions": ["year", "region"]}, codes, "person")
    assert contract == {
        "tables": [
            {
                "id": "counts",
                "kind": "count",
                "unit": "person",
                "input": "records",
                "dimensions": [
                    {"variable": "year", "codes": ["2010"], "sensitive": False},
                    {"variable": "region", "codes": ["NL-AM", "NL-DH"], "sensitive": False},
                ],
            }
        ]
    }


def test_a_contract_beyond_the_code_lists_or_too_large_is_refused():
    manifest = read_manifest(TEXT.encode())
    for parameters, codes in (
        ({"dimensions": ["elsewhere"]}, {"region": ["a"]}),
        (
            {"dimensions": ["a", "b"]},
            {"a": [str(i) for i in range(1000)], "b": [str(i) for i in range(1000)]},
        ),
    ):
        with pytest.raises(errors.NotValid):
            output_contract(manifest, parameters, codes, "person")


def test_what_the_ontology_calls_sensitive_is_so_for_the_gate() -> None:
    codes = {"exploitationForm": ["sexual", "labour"], "region": ["NL-AM"]}
    asked = {"dimensions": ["exploitationForm", "region"]}
    (table,) = output_contract(read_manifest(TEXT.encode()), asked, codes, "person")["tables"]
    assert [axis["sensitive"] for axis in table["dimensions"]] == [True, False]


@pytest.mark.parametrize(
    "path", sorted(shared("algorithms").glob("*/algorithm.toml")), ids=lambda path: path.parent.name
)
def test_what_an_algorithm_needs_of_a_dataset_are_variables_of_the_ontology(path):
    """Lists of codes that are the algorithm's own are none: the search would find no dataset, and say so."""
    assert set(needs(read_manifest(path.read_bytes()))) <= set(vocabulary.variables())
