"""The reviewers' pages and operations: in a real browser without JavaScript, and over HTTP."""

from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.factories import PASSWORD
from tests.reviews.conftest import put_out

pytestmark = [pytest.mark.needs_docker, pytest.mark.needs_browser]


@pytest.fixture
def web(site):
    site.start("serve")
    return site


def reviewer(browser, web, user: str):
    """Somebody's page, logged in."""
    page = browser.new_context(base_url=web.address, java_script_enabled=False).new_page()
    page.goto("/login")
    page.fill("#username", user)
    page.fill("#password", PASSWORD)
    page.click("main button")
    return page


def test_two_people_review_on_pages_and_neither_sees_the_other_first(web):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        carla, lars = (reviewer(browser, web, user) for user in ("carla", "lars"))
        carla.click("text=2 results wait for review")
        expect(carla.locator("tbody a")).to_have_count(2)
        carla.goto(f"/results/{web.by_sex}")
        expect(carla.locator(".note.bad", has_text="Other numbers")).to_be_visible()
        carla.goto(f"/results/{web.visit}")
        expect(carla.locator("h1")).to_contain_text("submitted")
        expect(carla.locator("main")).to_contain_text("The same numbers")
        carla.fill("#password", PASSWORD)
        carla.click("text=It may not leave")
        expect(carla.locator("[role=alert]")).to_contain_text("Say why")
        carla.fill("#sentence", "I looked at every cell.")
        carla.fill("#password", PASSWORD)
        carla.click("text=It may leave")
        expect(carla.locator("h1")).to_contain_text("partially reviewed")
        expect(carla.locator("main")).to_contain_text("You have reviewed this already")
        lars.goto(f"/results/{web.visit}")
        expect(lars.locator("main")).not_to_contain_text("every cell")
        lars.fill("#password", PASSWORD)
        lars.click("text=It may leave")
        expect(lars.locator("h1")).to_contain_text("approved")
        expect(lars.locator("main")).to_contain_text("I looked at every cell.")
        rosa = reviewer(browser, web, "rosa")
        assert rosa.goto(f"/results/{web.visit}").status == 403
        browser.close()


def test_numbers_that_could_be_few_persons_are_marked_and_leave_with_a_reason_only(web):
    put_out(web, [3.0, 0.0, 2.5])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        carla = reviewer(browser, web, "carla")
        carla.goto(f"/results/{web.visit}")
        expect(carla.locator("[role=alert]")).to_contain_text("Of these numbers, 2 could count fewer than 11")
        marked = carla.locator("tr", has=carla.locator(".tag.bad"))
        expect(marked).to_have_count(2)
        assert [row.split("persons")[1].split()[0] for row in marked.all_inner_texts()] == ["3.0", "0.0"]
        carla.fill("#password", PASSWORD)
        carla.click("text=It may leave")
        expect(carla.locator("[role=alert]").first).to_contain_text("could count fewer than 11 persons")
        expect(carla.locator("h1")).to_contain_text("submitted")
        carla.fill("#sentence", "Weeks, and no persons.")
        carla.fill("#password", PASSWORD)
        carla.click("text=It may leave")
        expect(carla.locator("h1")).to_contain_text("partially reviewed")
        browser.close()


def test_a_program_reviews_with_a_persons_token(web):
    def call(user: str, path: str = "", **body):
        headers = {"Authorization": f"Bearer {web.token(user)}"}
        address = f"{web.address}/api/v1/results{path}"
        return (
            httpx2.post(address, json=body, headers=headers) if body else httpx2.get(address, headers=headers)
        )

    assert call("rosa").status_code == 403
    assert {line["visit"] for line in call("carla").json()["items"]} == {web.visit, web.by_sex}
    seen = call("carla", f"/{web.visit}").json()
    assert seen["rerun"]["outcome"] == "same"
    said = {"role": "custodian", "opinion": "approved", "result": seen["result"]}
    path = f"/{web.visit}/review"
    assert call("carla", path, **{**said, "result": "0" * 64}).status_code == 409
    assert call("carla", path, **said).json()["reviews"] == "partially reviewed"
    assert call("lars", f"/{web.visit}").json()["given"] == []
    done = call(
        "lars", path, **{**said, "role": "counsel", "opinion": "changes requested", "note": "No."}
    ).json()
    assert (done["reviews"], done["state"]) == ("conflicted", "blocked")
    assert len(done["given"]) == 2
