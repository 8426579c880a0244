"""The answer as a whole: its format, its honesty, its sameness from run to run, the report and the plots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from mse import Settings, analyse, parse_table, to_json
from mse.methods import METHODS, default_methods
from mse.report import report
from mse.result import rounded
from mse.words import WORDS

FOLDER = Path(__file__).parents[1]
SCHEMA = json.loads((FOLDER / "mse/output.schema.json").read_text(encoding="utf-8"))
REPOSITORY = FOLDER.parents[1]
CHOSEN = ["--method", "stepwise", "--method", "bic", "--method", "dga", "--method", "bayes-threshold"]


def valid(answer):
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


@pytest.fixture(scope="module")
def uk(tables):
    return analyse(tables["UKdat_5"], Settings(boot=200))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_full_answer_fits_the_schema_and_has_every_method(uk):
    answer = valid(json.loads(json.dumps(to_json(uk), allow_nan=False)))
    assert [e["method"] for e in answer["estimates"]] == list(default_methods(5))
    assert answer["refusals"] == []
    assert answer["input"]["personsOnSeveralLists"] == 221
    assert answer["input"]["overlaps"][0] == {"lists": ["LA", "NG"], "persons": 18}
    for estimate in answer["estimates"]:
        assert estimate["interval"]["lower"] <= estimate["interval"]["upper"]
        assert estimate["assumptions"]
        assert estimate["evidence"]


def test_every_stochastic_method_tells_its_seed(uk):
    for estimate in uk.estimates:
        if "replicates" in estimate.diagnostics or "rHat" in estimate.diagnostics:
            assert estimate.diagnostics["seed"] == 1


def test_one_method_never_stands_alone(tables):
    answer = valid(to_json(analyse(tables["Korea"], Settings(methods=("stepwise",), boot=200))))
    assert [e["method"] for e in answer["estimates"]] == ["stepwise"]
    assert [e["method"] for e in answer["companions"]] == ["independence", "chao"]


def test_a_model_named_beforehand_is_estimated(tables):
    answer = valid(to_json(analyse(tables["Korea"], Settings(models=("b:c", "b:c, c:d")))))
    assert [e["method"] for e in answer["estimates"]] == ["fixed#1", "fixed#2"]
    assert [round(e["estimate"], 2) for e in answer["estimates"]] == [268.78, 157.17]
    assert answer["companions"]


def test_persons_on_several_lists_and_sensitivity_are_reported(uk):
    answer = to_json(uk)
    by_name = {e["method"]: e for e in answer["estimates"]}
    assert round(by_name["stepwise"]["diagnostics"]["onePerson"]["largestRise"]) == 1007
    text = report(uk)
    assert "persons on two or more lists: 221" in text
    assert "-65 to +1,007" in text


def test_seven_lists_fall_back_with_a_reason(tables):
    ned = tables["Ned"]
    lines = [
        "A,B,C,D,E,F,G,count",
        "0,0,0,0,0,0,1,40",
        "1,0,0,0,0,0,1,3",
        "0,1,0,0,0,0,1,5",
        "0,0,0,1,0,0,1,9",
    ]
    for mask, count in enumerate(ned.counts):
        if count:
            lines.append(",".join(str(mask >> i & 1) for i in range(6)) + f",0,{count}")
    found = analyse(
        parse_table("\n".join(lines)), Settings(boot=100, methods=("bic", "dga", "bic-downhill", "chao"))
    )
    valid(to_json(found))
    assert {r.method: r.code for r in found.refusals} == {"bic": "too-many-lists", "dga": "too-many-lists"}
    assert [e.method for e in found.estimates] == ["bic-downhill", "chao"]
    assert "bic" not in default_methods(7)


def test_the_same_command_prints_the_same_bytes(tmp_path):
    command = [
        sys.executable,
        "-m",
        "mse",
        "tests/tables/Korea.csv",
        "--json",
        "--boot",
        "200",
        "--seed",
        "7",
    ]
    first, second = (
        subprocess.run(command, cwd=FOLDER, capture_output=True, check=True).stdout for _ in range(2)
    )
    assert first == second
    assert valid(json.loads(first))["settings"]["seed"] == 7


def test_errors_fit_the_schema(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("A,B,C,count\n1,0,0,x\n")
    done = subprocess.run([sys.executable, "-m", "mse", str(path), "--json"], cwd=FOLDER, capture_output=True,
                          check=False)  # fmt: skip
    assert valid(json.loads(done.stdout))["error"]["code"] == "bad-table"


def test_plots_are_written_and_the_same_each_time(tmp_path):
    for name in ("one", "two"):
        command = [
            sys.executable,
            "-m",
            "mse",
            "tests/tables/Korea.csv",
            "--boot",
            "200",
            "--plots",
            tmp_path / name,
        ]
        assert subprocess.run(command, cwd=FOLDER, capture_output=True, check=True).stdout
    names = ["estimates.png", "estimates.svg", "weights.png", "weights.svg"]
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_numbers_do_not_need_matplotlib():
    code = "import sys; import mse.cli; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=FOLDER, check=False).returncode == 0


def test_every_method_has_words_and_a_page():
    for name in (*METHODS, "fixed"):
        assert (REPOSITORY / "docs/mse" / WORDS[name].page).read_text(encoding="utf-8").count("\n## ") >= 3
        assert name in (REPOSITORY / "docs/mse/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "expected"), [(11417.99, 11000), (268.8, 270), (96, 96), (0, 0), (1_250_000, 1_200_000)]
)
def test_public_numbers_have_two_significant_figures(value, expected):
    assert rounded(value) == expected


def test_synthetic_truth_is_recovered_from_its_expected_table():
    """Counts drawn at their expectation under independence: every method is near the truth of 2,000."""
    text = (FOLDER / "tests/tables/scenario_indep3_expected.csv").read_text(encoding="utf-8").splitlines()
    lines = ["A,B,C,count", *(f"{r.rsplit(',', 1)[0]},{round(float(r.rsplit(',', 1)[1]))}" for r in text[2:])]
    found = analyse(
        parse_table("\n".join(lines)), Settings(boot=200, methods=("independence", "stepwise", "bic", "dga"))
    )
    assert all(abs(e.estimate - 2000) < 60 for e in found.estimates)


def test_the_synthetic_dutch_scenario_is_estimated_as_computed():
    """Drawn at its expectation (truth 5,000 persons) the true model finds it and independence does not."""
    text = (FOLDER / "tests/tables/scenario_nl5_expected.csv").read_text(encoding="utf-8").splitlines()
    lines = [text[0].replace("expected_count", "count")]
    for row in text[2:]:
        pattern, expected = row.rsplit(",", 1)
        lines.append(f"{pattern},{round(float(expected) * 1000)}")
    table = parse_table("\n".join(lines))
    found = analyse(table, Settings(boot=100, methods=("independence", "stepwise", "chao")))
    totals = {e.method: e.estimate / 1000 for e in found.estimates}
    assert totals["stepwise"] == pytest.approx(5000, rel=0.01)
    assert totals["independence"] < 2500
