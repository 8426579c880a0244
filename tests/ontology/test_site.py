"""The pages of the ontology: readable without scripts, and no link leads nowhere."""

from html.parser import HTMLParser

import pytest

from fairnode import vocabulary

SITE = vocabulary.folder() / "site"
PAGES = sorted(SITE.glob("*.html"))


class Page(HTMLParser):
    """What a test wants to know of a page: its anchors, links and headings."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.tags = [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        if "id" in found:
            self.anchors.append(found["id"])
        if "href" in found:
            self.links.append(found["href"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_within_the_pages_arrives(path):
    pages = {each.name: Page(each) for each in PAGES}
    for link in pages[path.name].links:
        file, _, anchor = link.partition("#")
        if link.startswith(("http://", "https://")) or file.endswith(".css"):
            continue
        assert (SITE / (file or path.name)).exists(), link
        if anchor:
            assert anchor in pages[file or path.name].anchors, link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_one_heading_no_script_and_no_anchor_twice(path):
    page = Page(path)
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert len(page.anchors) == len(set(page.anchors))


def test_every_variable_and_policy_term_has_its_place():
    variables = Page(SITE / "variables.html").anchors
    assert set(vocabulary.variables()) <= set(variables)
    policy = Page(SITE / "policy.html").anchors
    terms = {
        iri.removeprefix(vocabulary.HTPOL) for iri in vocabulary.terms() if iri.startswith(vocabulary.HTPOL)
    }
    assert terms <= set(policy)
