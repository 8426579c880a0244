"""Finding data as people and programs do: facets with counts, what a dataset takes, and what fits what."""

from __future__ import annotations

import re
from html import unescape

import jsonschema

from fairnode.api.contract import document


def links(page: str) -> dict[str, str]:
    """Where the links of a page lead, by their words."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>(?: <span class="soft">(\d+)</span>)?', page)
    return {f"{unescape(words)} {number}".strip(): unescape(url) for url, words, number in found}


def fits(answer, name: str) -> dict:
    """The answer, which has the form that the file promises."""
    assert answer.status_code == 200, answer.text
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.validate(answer.json(), schema)
    return answer.json()


def test_a_search_is_narrowed_down_by_links_with_counts(client, web):
    page = client.get("/search", params={"q": "border"}).text
    assert "1 found" in page
    page = client.get("/search").text
    total = int(re.search(r"(\d+) found", page)[1])
    assert total >= 2
    page = client.get("/search", params={"variable": "sex"}).text
    assert "Variable: sex" in unescape(page)
    without = next(url for words, url in links(page).items() if words == "×")
    assert f"{total} found" in client.get(without.removeprefix(web.base)).text


def test_each_count_is_what_its_link_leads_to(client):
    page = client.get("/search").text
    counted = {words: url for words, url in links(page).items() if re.search(r" \d+$", words)}
    for words, url in counted.items():
        number = words.rsplit(" ", 1)[1]
        assert f"{number} found" in client.get(url).text, words


def test_the_page_of_a_found_dataset_tells_what_it_would_take(client, web):
    page = client.get("/found", params={"iri": f"{web.base}/dataset/victims"}).text
    assert "who decide if" in page
    assert "Every other study is refused." in page
    assert "Counts by any variables" in page
    assert client.get("/found", params={"iri": "https://nobody.example/dataset/x"}).status_code == 404
    assert client.get("/found").status_code == 404


def test_what_fits_an_algorithm_and_the_reverse_are_the_same(client, web):
    found = fits(client.get("/api/v1/search", params={"algorithm": "counts"}), "FoundPage")
    assert found["total"] == len(found["items"]) >= 2
    for one in found["items"]:
        told = fits(client.get("/api/v1/fit", params={"dataset": one["iri"]}), "Fit")
        assert [a["lacks"] for a in told["algorithms"] if a["name"] == "counts"] == [[]]
        assert told["policy"][-1] == "Every other study is refused."
        listed = fits(client.get("/api/v1/algorithms", params={"dataset": one["iri"]}), "AlgorithmPage")
        assert [a["name"] for a in listed["items"]] == ["counts"]
        page = client.get("/algorithms", params={"dataset": one["iri"]}).text
        assert "Those that can visit" in page
    assert client.get("/search", params={"algorithm": "nothing"}).status_code == 404


def test_programs_get_facets_and_errors_with_reasons(client):
    told = fits(
        client.get("/api/v1/search", params={"q": "victims", "year": "2012,2013", "limit": 1}), "FoundPage"
    )
    assert told["total"] >= len(told["items"]) == 1
    for query in ({"year": "x"}, {"limit": "0"}, {"offset": "-1"}, {"nonsense": "1"}):
        assert client.get("/api/v1/search", params=query).status_code == 400, query
    for query in ({"variable": "nonsense"}, {"concept": "sex=nonsense"}, {"algorithm": "nonsense"}):
        assert client.get("/api/v1/search", params=query).status_code == 404, query
    assert client.get("/api/v1/fit").status_code == 400
