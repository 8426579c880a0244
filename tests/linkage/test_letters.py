"""Spellings of one name meet; what has no letters says so."""

from __future__ import annotations

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from fairnode.linkage.letters import family, given, soundex, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("van der Berg", "Berg"),
        ("v.d. Berg", "Berg"),
        ("'t Hooft", "Hooft"),
        ("De Vries-Jansen", "vries jansen"),
        ("Müller", "Muller"),
        ("Łukasz", "LUKASZ"),
        ("Strauß", "Strauss"),
        ("Øzgür", "OZGUR"),
        ("Иванов", "Ivanov"),
        ("Георгиев", "Georgiev"),
        ("Παπαδόπουλος", "Papadopoylos"),
        ("Nguyễn", "nguyen"),
        ("O'Brien", "O’BRIEN"),
        ("İpek", "Ipek"),
        ("Ｊansen", "Jansen"),
        ("Єлизавета", "Ielizaveta"),
        ("王", "Wang"),
        ("王小明", "Wang Xiaoming"),
        ("김철수", "Gim Cheolsu"),
        ("ተስፋይ", "Tesfay"),
        ("გიორგი", "Giorgi"),
        ("محمد", "مُحَمَّد"),  # vowel signs are written rarely
        ("أحمد", "احمد"),
    ],
)
def test_two_spellings_of_one_family_name_are_the_same(one, other):
    assert family(one) == family(other) != ""


def test_a_name_that_is_only_particles_keeps_its_last_one():
    assert family("Van") == "VAN"
    assert family("de la") == "LA"


@pytest.mark.parametrize("name", ["", "  ", "-", "123", "♥", "☎ 12", "\u0301", "😀"])
def test_what_has_no_letters_in_any_script_has_none(name):
    assert family(name) == given(name) == soundex(given(name)) == ""


@holds_for(st.text(max_size=40))
def test_whatever_is_written_becomes_capital_letters(name):
    assert all(word and set(word) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for word in words(name))
    assert family(family(name)) == family(name) or family(name) != ""


@holds_for(st.text(max_size=20))
def test_case_and_outer_spaces_do_not_matter(name):
    assert words(f"  {name} ") == words(name)


@pytest.mark.parametrize(
    ("word", "code"),
    [("ROBERT", "R163"), ("RUPERT", "R163"), ("ASHCRAFT", "A261"), ("TYMCZAK", "T522"), ("PFISTER", "P236"),
     ("HONEYMAN", "H555"), ("LEE", "L000")],
)  # fmt: skip
def test_soundex_gives_the_codes_of_the_national_archives(word, code):
    assert soundex(word) == code
