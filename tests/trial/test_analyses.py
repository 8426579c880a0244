"""Each analysis in the real sandbox, as its author tries it: on a twin, through the gate, recounted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories import DATASET

pytestmark = [pytest.mark.needs_docker, pytest.mark.long]
ALGORITHMS = Path(__file__).parents[2] / "algorithms"

QUESTIONS = {
    "summary": (["sex"], {"variable": "ageInYears", "grid": ["ageGroup"]}, 10),
    "flows": (["citizenshipRegion", "region"], {}, 20),
    "pathways": (
        ["recruitmentMethod", "meansOfControl"],
        {"first": ["recruitmentMethod"], "second": ["meansOfControl"]},
        10,
    ),
    "timeline": (["timeToDecision", "decided"], {}, 10),
    "repeat": (["registrationCount"], {}, 1),
    "regression": (
        ["sex", "ageBroad"],
        {
            "family": "logistic",
            "variables": ["exploitationForm"],
            "positive": ["sexual"],
            "first": ["sex"],
            "second": ["ageBroad"],
        },
        8,
    ),
    "federated": (
        ["sex"],
        {"variables": ["exploitationForm"], "positive": ["sexual"], "weights": [0, 0, 0, 0, 0]},
        3,
    ),
}


@pytest.fixture(scope="module")
def site(new_site):
    return new_site()


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_analysis_leaves_the_sandbox_with_the_numbers_that_the_node_counts(site, name):
    dimensions, parameters, least = QUESTIONS[name]
    options = [option for dimension in dimensions for option in ("--dimension", dimension)]
    trial = site.json(
        "algorithm", "try", str(ALGORITHMS / name), "--dataset", DATASET, *options,
        "--parameters", json.dumps(parameters),
    )  # fmt: skip
    assert trial["passes"], trial
    assert trial["shown"] >= least, trial["tables"]


def test_a_life_table_is_merged_until_nothing_in_it_is_hidden(site):
    trial = site.json(
        "algorithm", "try", str(ALGORITHMS / "timeline"), "--dataset", DATASET,
        "--dimension", "timeToReferral", "--dimension", "referred",
    )  # fmt: skip
    (table,) = trial["tables"]["tables"]
    bands = table["dimensions"][0]["codes"]
    assert table["merged"]
    assert trial["hidden"] == []
    assert bands[0].startswith("0-")
    assert bands[-1].endswith("+")


def test_parameters_out_of_range_are_refused_before_anything_runs(site):
    done = site.cli(
        "algorithm", "try", str(ALGORITHMS / "summary"), "--dataset", DATASET, "--dimension", "sex",
        "--parameters", json.dumps({"variable": "birthDate", "grid": ["ageGroup"]}), ok=False,
    )  # fmt: skip
    assert done.returncode not in (0, 7)
    assert "birthDate" in done.stderr + done.stdout
