"""The job that makes and deals a list: bad lists are refused in words, and no name comes out of it."""

from __future__ import annotations

import base64
import datetime
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.linkage import LEAST_PRECISION, measure
from examples.netherlands.errors import written_lists
from examples.netherlands.people import draw_people
from fairnode.child import run_child
from fairnode.datasets.bindings import read_dataset
from fairnode.demo.members import example
from fairnode.errors import NotValid
from fairnode.jobs.link import dealt
from fairnode.linkage.keys import RULES, VARIABLES, Identity
from fairnode.linkage.persons import Record, keys_of
from fairnode.mpc.dealing import new_receiver_key, pieces_of
from fairnode.records.dataset import View, to_json

SHELTERS = next(o for o in example().ORGANISATIONS if o.key == "kmar")
HEADER = (
    "Registratienr;Naam;Voornamen;Geb.datum;Sekse;Nationaliteit;District;Melddatum;Vorm;Land van werving;Via;"
    "Doorverwezen"
)


def line(number, family="Jansen", first="Ann", born="19850307"):
    return f"{number};{family};{first};{born};vrouw;NLD;01;20120131;SEKS;;;"


def job(tmp_path, lines, bound=50, **more):
    """The job for a case file with these lines."""
    path = tmp_path / "list.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    record = example().record(SHELTERS, "http://a.example")
    dataset = read_dataset(record, iri="http://a.example/dataset/kmar-victims")
    view = View((*VARIABLES, "personKey"))
    return {
        "view": {
            "dataset": to_json(dataset),
            "source": {"kind": "csv", "path": str(path), "encoding": "utf-8", "delimiter": ";"},
            "view": to_json(view),
            "identifiers": True,
            "output": "",
        },
        "key": "names",
        "bound": bound,
        **more,
    }


def dealing(block, **parameters):
    shape = {"lists": 3, "bound": 50, "fingerprint": 64, "slots": 25}
    asked = {**shape, "models": [[]], "standard_errors": False, "observed": True, **parameters}
    return {
        "program": "overlap-estimate",
        "parameters": asked,
        "place": 1,
        "secret": "11" * 32,
        "study": "ab" * 32,
        "attempt": 1,
        "sender": "http://a.example",
        "receivers": [new_receiver_key().public.hex() for _ in range(3)],
        "signing_key": base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode(),
        "block": str(block),
    }


def run(tmp_path, told):
    return run_child("link", told, spool=tmp_path / "spool")


def test_a_list_with_repeated_persons_is_dealt_once_each_and_no_name_comes_out(tmp_path):
    lines = [line(n, born=f"{1950 + n}0307") for n in range(40)]
    lines += [line(100 + n, born=f"{1950 + n}0307") for n in range(4)]  # 10 % once more
    made = run(tmp_path, job(tmp_path, lines, deal=dealing(tmp_path / "block")))
    assert (made["records"], made["merged"], made["persons"]) == (44, 4, 40)
    assert made["failed"] is False
    assert len(made["packages"]) == 3
    assert made["pieces"] == [sha256(piece).hexdigest() for piece in pieces_of(tmp_path / "block")]
    assert "jansen" not in json.dumps(made).lower()
    assert not any(path.is_file() for path in (tmp_path / "spool").rglob("*"))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "no rows"),
        ([line(1, family=""), line(2, first=""), line(3, born="")], "usable key"),
        ([line(n, born=f"{1950 + n}0307") for n in range(26)], "26 persons, more than the 20"),
    ],
)
def test_a_list_that_cannot_take_part_is_refused_in_words(tmp_path, lines, words):
    with pytest.raises(NotValid, match=words):
        run(tmp_path, job(tmp_path, lines, bound=20))


def test_a_list_that_is_all_one_person_is_a_list_of_one(tmp_path):
    made = run(tmp_path, job(tmp_path, [line(n) for n in range(30)]))
    assert (made["persons"], made["merged"]) == (1, 29)


def test_birth_dates_on_the_first_of_january_are_counted_as_weak(tmp_path):
    made = run(tmp_path, job(tmp_path, [line(1, born="19850101"), line(2, "Bakker")]))
    assert (made["persons"], made["weak"]) == (2, 1)


def test_a_list_that_does_not_fit_into_its_bins_says_that_it_failed(tmp_path):
    whos = [Identity.of("Jansen", "Ann", datetime.date(1950 + n, 3, 7), "") for n in range(50)]
    keyed = keys_of([Record("", who) for who in whos], RULES["names"])
    assert dealt(keyed, dealing(tmp_path / "block", slots=1)) == {"failed": True}
    assert dealt(keyed, dealing(tmp_path / "block"))["failed"] is False


def test_with_errors_in_names_and_dates_hardly_a_link_is_wrong():
    """Precision of at least .995 at the assumed rates of error; recall and the effect: docs/linkage.md."""
    made = measure(written_lists(draw_people(7), 7), RULES["slk-581"])
    assert made.precision >= LEAST_PRECISION
    assert made.inside_precision >= LEAST_PRECISION
    assert 0.5 < made.recall < 0.95
