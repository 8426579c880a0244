"""What the form of a new study asks of all nodes together is the study that command and API send, and can be sent."""

from __future__ import annotations

import html
import json
import re

import pytest

from fairnode import clock
from fairnode.algorithms.own import keep_own, own_programs
from fairnode.app import create_app
from fairnode.ledger.commit import Entry, commit
from fairnode.people.accounts import add_person
from fairnode.records.rows import Algorithm
from fairnode.share import shared

PASSWORD = "correct horse battery staple"
SUMMARY = own_programs()["combined-summary"].identity
FEDERATED = "sha256:" + "fe" * 32
KEYS = ("police", "labour", "coordinators")


@pytest.fixture
def form(one_town):
    """Fills in the form at the home node: what the page says is wrong, and the document that it made."""
    home = one_town.home
    keep_own(home)
    manifest = (shared("algorithms") / "federated" / "algorithm.toml").read_bytes()
    told = (
        "federated",
        "federated",
        "1.1.0",
        "One round",
        manifest,
        "",
        FEDERATED,
        "p-arjen",
        "known",
        clock.now(),
    )
    commit(home.desk, lambda tx: tx.add(Algorithm(*told)), Entry("test.furnished", "federated", "operator"))
    add_person(home, "robin", "Robin", ["researcher"], PASSWORD, "operator")
    app = create_app(home)
    client = app.test_client()

    person = {"username": "robin", "password": PASSWORD}
    assert client.post("/login", data=person, base_url=home.iri).status_code == 303
    empty = client.get("/study/new", base_url=home.iri).text
    word = re.search(r'name="csrf" value="([^"]+)"', empty)[1]
    ids = dict(re.findall(r'<option value="([^"]+)">[^<]*\(([a-z-]+) ', empty))

    def fill(algorithm, **fields):
        number = next(key for key, name in ids.items() if name == algorithm)
        common = {"title": "How much", "question": "How much of it, over all organisations?", "days": "30"}
        common |= {"purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics", "step": "check"}
        common |= {"legalBasis": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-e", "algorithm": number}
        common["elsewhere"] = "\n".join(one_town.dataset(key) for key in KEYS)
        told = {**common, **fields, "csrf": word}
        page = client.post("/study/new", data=told, base_url=home.iri).text
        wrong = re.search(r'role="alert">(.*?)</div>', page, re.S)
        made = re.search(r"<pre>(.*?)</pre>", page, re.S)
        return wrong and html.unescape(wrong[1]), made and json.loads(html.unescape(made[1]))

    return fill


def test_the_form_offers_what_nodes_make_together_and_says_what_each_of_them_opens(form):
    values = "sexual = 1\nlabour = 3"
    asked = {"measured": "exploitationForm", "numbers": values}
    wrong, made = form("combined-summary", figure="mean-variance", groups="sex = female, male", **asked)
    assert wrong is None
    assert made["parameters"] == {
        "outcome": "exploitationForm",
        "values": {"sexual": 1, "labour": 3},
        "groups": {"sex": ["female", "male"]},
        "dimensions": ["exploitationForm", "sex"],
    }
    assert (made["stages"][1]["program"], made["openings"]) == ("mean-variance", ["combine"])

    wrong, made = form("combined-summary", figure="quantile", order="50", groups="sex = female", **asked)
    assert wrong is None
    assert made["parameters"]["order"] == 50
    assert (made["dimensions"], made["stages"][1]["program"]) == (["exploitationForm"], "quantile")

    others = (
        '{"variables": ["exploitationForm"], "positive": ["sexual"], "weights": [0, 0], "combined": true}'
    )
    noisy = {"combine": "noisy-sum", "clip": "1.5", "noise": "40", "dimensions": "sex", "others": others}
    wrong, made = form("federated", **noisy)
    assert wrong is None
    assert made["stages"][1]["options"] == {"clip": 1.5, "noise": 40}
    assert made["parameters"]["combined"] is True

    wrong, made = form("counts", combine="sum", dimensions="sex")
    assert wrong is None
    assert made["stages"][1]["program"] == "sum"
    assert form("counts", dimensions="sex")[1]["openings"] == []

    for fields, said in (
        ({**asked, "figure": "quantile", "order": "100"}, "maximum of 99"),
        ({**asked, "numbers": "sexual is one"}, "does not say what a code counts as"),
    ):
        assert said in form("combined-summary", **fields)[0]
    for fields, said in (
        ({"clip": "long"}, "is a number"),
        ({"noise": "2"}, "noise"),
        ({"others": "[1]"}, "not a JSON object"),
    ):
        assert said in form("federated", **noisy | fields)[0]
