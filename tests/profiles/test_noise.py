"""Counts with noise cost privacy: charged before anything is drawn, never beyond the budget, drawn once."""

from __future__ import annotations

import statistics

import pytest

from fairnode.config import FILE
from fairnode.jobs import noise
from fairnode.metadata.keep import dataset
from fairnode.records.charge import Charge
from fairnode.records.profile_rows import KeptProfile
from tests.factories import DATASET

ASKED = ["dataset", "profile", "police-victims", "--variable", "sex", "--variable", "meansOfControl"]


@pytest.fixture(scope="module")
def permitted(new_site):
    site = new_site()
    file = site.directory / FILE
    file.write_text(file.read_text().replace("twin_epsilon = 0.0", "twin_epsilon = 1.0"))
    return site


def test_noise_is_off_until_an_operator_permits_it(site) -> None:
    done = site.cli(*ASKED, "--epsilon", "0.1", user="carla", ok=False)
    assert done.returncode != 0
    assert "budget of 0" in done.stderr


def test_what_was_drawn_is_published_as_it_was_seen_and_the_budget_ends(permitted) -> None:
    told = permitted.json(*ASKED, "--epsilon", "0.8", user="carla")
    assert told["leftOut"] == [["meansOfControl", "A person may have several of its values."]]
    (sex,) = told["profile"]["variables"]
    assert abs(dict(sex["shown"])["female"] - 3525) < 60
    done = permitted.cli(*ASKED, "--epsilon", "0.8", "--publish", told["hash"], user="carla")
    assert "version 2" in done.stdout
    with permitted.open() as node, node.store.read() as reader:
        assert [charge.epsilon for charge in reader.find(Charge)] == [800]
        (kept,) = reader.find(KeptProfile)
        assert kept.block in dataset(node, DATASET).record
        assert b'epsilon> "0.8"' in kept.block
    for epsilon in ("0.3", "-1", "nan", "much"):
        assert permitted.cli(*ASKED, "--epsilon", epsilon, user="carla", ok=False).returncode != 0
    assert (
        permitted.cli(*ASKED, "--epsilon", "1", "--publish", "0" * 64, user="carla", ok=False).returncode == 3
    )


def test_the_noise_is_as_wide_as_its_price_says() -> None:
    drawn = [
        noise.run({"values": [1000] * 200, "sensitivity": 4, "epsilon": 500, "counts": True})["values"]
        for _ in range(5)
    ]
    spread = statistics.pstdev(n for one in drawn for n in one)
    assert 8 < spread < 15  # the square root of 2, times 4 / 0.5
