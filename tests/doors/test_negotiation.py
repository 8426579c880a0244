"""Which form is answered, as a table."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.door.negotiate import NotOffered, choose

TURTLE, JSON_LD, NT, XML, HTML = OFFERS = (
    "text/turtle",
    "application/ld+json",
    "application/n-triples",
    "application/rdf+xml",
    "text/html",
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, TURTLE),
        ("", TURTLE),
        ("*/*", TURTLE),
        ("text/turtle", TURTLE),
        ("TEXT/HTML", HTML),
        ("application/ld+json", JSON_LD),
        ("application/ld+json;charset=utf-8", JSON_LD),
        ('application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"', JSON_LD),
        ("application/ld+json;q=1, text/turtle;q=.1", JSON_LD),
        ("application/ld+json;q=0.5, text/turtle;q=0.6", TURTLE),
        ("text/html, */*", HTML),
        ("*/*, text/html", HTML),
        ("text/*", TURTLE),
        ("text/*, text/html", HTML),
        ("application/*", JSON_LD),
        ("application/*, application/rdf+xml", XML),
        ("text/turtle;q=0, */*", JSON_LD),
        ("text/*;q=0, */*;q=0.1", JSON_LD),
        ("*/*;q=0.1, text/html;q=0", TURTLE),
        ("text/html;q=0.9, text/turtle;q=0.9", TURTLE),
        ("image/png, application/n-triples;q=0.2", NT),
        ("garbage, text/html", HTML),
        (BROWSER, HTML),
        ("application/rdf+xml, text/rdf;q=0.5, application/xml;q=0.1, text/xml;q=0.1", XML),
    ],
)
def test_the_form_that_the_asker_likes_best(accept, form):
    assert choose(accept, OFFERS) == form


@pytest.mark.parametrize("accept", ["image/png", "text/turtle;q=0", "*/*;q=0", "text/plain, image/*"])
def test_nothing_is_answered_that_is_not_accepted(accept):
    with pytest.raises(NotOffered) as caught:
        choose(accept, OFFERS)
    assert caught.value.http_status == 406
    assert "text/turtle" in caught.value.to_do


@given(st.text(max_size=300))
def test_any_header_is_answered_or_refused(accept):
    with contextlib.suppress(NotOffered):
        assert choose(accept, OFFERS) in OFFERS
