"""An algorithm in R, from the template to the gate."""

from __future__ import annotations

import pytest

from tests.factories import DATASET

pytestmark = [pytest.mark.needs_docker, pytest.mark.long]


def test_the_template_in_r_runs_at_once_and_counts_as_the_node_does(new_site, tmp_path):
    site, folder = new_site(), tmp_path / "routes"
    site.cli("algorithm", "new", "routes", "--language", "r", "--out", str(folder))
    site.cli("algorithm", "check", str(folder))
    trial = site.json(
        "algorithm", "try", str(folder), "--dataset", DATASET,
        "--dimension", "recruitmentMethod", "--dimension", "meansOfControl", "--dimension", "sex",
        "--filter", "sex=female,male",
    )  # fmt: skip
    assert trial["passes"], trial
    assert trial["shown"] >= 5
