"""The pages, in a real browser: a study from question to decision, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fairnode.worker.delivery import deliver_own

pytestmark = pytest.mark.needs_browser

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(browser, web) -> Iterator[Page]:
    """A browser without JavaScript; whatever it complains about fails the test."""
    context = browser.new_context(base_url=web.base, java_script_enabled=False)
    made = context.new_page()
    complaints: list[str] = []
    made.on("console", lambda m: complaints.append(m.text) if "Content Security" in m.text else None)
    made.on(
        "request", lambda r: complaints.append(r.url) if not r.url.startswith((web.base, "data:")) else None
    )
    yield made
    context.close()
    assert not complaints


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.fill("#username", name)
    page.fill("#password", PASSWORD)
    page.click("main button")
    expect(page.locator("h1")).to_contain_text("Good day")


def test_a_visitor_reads_what_it_would_take_before_asking(page):
    page.goto("/")
    page.click("text=Presumed victims registered by the police")
    expect(page.locator("h1")).to_have_text("Presumed victims registered by the police")
    expect(page.locator("main")).to_contain_text("What it would take to be approved")
    expect(page.locator("main")).to_contain_text("put to the custodian and counsel")
    expect(page.locator("main")).to_contain_text("Invented data")
    page.goto("/search?q=border")
    expect(page.locator(".cards a")).to_have_count(1)


def test_a_study_goes_from_question_to_signed_decision(page, browser, web):
    log_in(page, "researcher")
    page.goto("/study/new")
    page.fill("#title", "Victims by year and sex")
    page.fill("#question", "How many victims were registered, by year and sex?")
    page.check("input[name=datasets][value$='/dataset/victims']")
    page.check("input[name=dimensions][value=year]")
    page.check("input[name=dimensions][value=sex]")
    page.click("button[value=check]")
    expect(page.locator(".note")).to_contain_text("Nothing is wrong with it")
    page.click("button[value=send]")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("waiting")
    study = page.url
    deliver_own(web.node)
    for role in ("custodian", "counsel"):
        decider = browser.new_context(base_url=web.base, java_script_enabled=False).new_page()
        _decide(decider, role)
        decider.context.close()
    deliver_own(web.node)
    page.goto(study)
    expect(page.locator("h1")).to_contain_text("Victims by year and sex")


def _decide(page: Page, role: str) -> None:
    log_in(page, role)
    page.click("text=visit")
    page.click("text=Victims by year and sex")
    main = page.locator("main")
    for words in (
        "Robin Researcher",
        "statistics on trafficking",
        "sex, year; nothing else",
        "GDPR art. 6(1)(e)",
    ):
        expect(main).to_contain_text(words)
    page.click("text=The protocol document")
    for words in ("The law", "Reviews relied on", "Versions", "deleted when the visit ends"):
        expect(main).to_contain_text(words)
    page.go_back()
    page.fill("#password", "not my password")
    page.click("button[value=approve]")
    expect(page.locator("[role=alert]")).to_contain_text("not the right one")
    page.fill("#password", PASSWORD)
    page.click("button[value=approve]")
    expect(main).to_contain_text(f"{role}: approve")
    expect(page.locator("button[value=approve]")).to_have_count(0)


def test_a_form_that_nobody_filled_in_yet_holds_nothing(page):
    log_in(page, "researcher")
    page.goto("/study/new")
    assert page.locator("textarea").evaluate_all("all => all.map(one => one.value)") == [""] * 8


def test_a_study_that_is_wrong_is_told_where_and_keeps_what_was_written(page):
    log_in(page, "researcher")
    page.goto("/study/new")
    page.fill("#title", "No dataset at all")
    page.fill("#question", "What happens without any dataset?")
    page.click("button[value=send]")
    expect(page.locator("[role=alert]")).to_contain_text("datasets")
    expect(page.locator("#title")).to_have_value("No dataset at all")


def test_pages_of_others_are_closed(page):
    page.goto("/inbox")
    assert "/login" in page.url
    page.fill("#username", "researcher")
    page.fill("#password", PASSWORD)
    page.click("main button")
    expect(page.locator("h1")).to_have_text("This is not yours to do")
    answer = page.goto("/ledger")
    assert answer.status == 403


def test_a_custodian_hands_in_a_record_and_reads_what_is_wrong(page, web, make_turtle):
    log_in(page, "custodian")
    page.goto("/datasets")
    page.fill("#turtle", "this is not Turtle")
    page.click("text=Hand in >> nth=-1")
    expect(page.locator("[role=alert]")).to_contain_text("not Turtle")
    page.fill("#turtle", make_turtle(web.base, "by-page", title="Handed in by page").decode())
    page.uncheck("[name=publish]")
    page.click("text=Hand in >> nth=-1")
    row = page.locator("tr", has_text="Handed in by page")
    expect(row).to_contain_text("draft")
    row.locator("text=Publish").click()
    expect(page.locator("tr", has_text="Handed in by page")).to_contain_text("published")
    page.click("text=Handed in by page")
    page.fill("#turtle", make_turtle(web.base, "by-page", title="<b>Bold</b>").decode())
    page.click("text=Hand in the next version")
    expect(page.locator("[role=alert]")).to_contain_text("markup")
    page.fill("#turtle", make_turtle(web.base, "by-page", title="Handed in by page again").decode())
    page.click("text=Hand in the next version")
    page.click("text=Handed in by page again")
    page.check("[name=sure]")
    page.click("button[value=withdraw]")
    expect(page.locator("tr", has_text="Handed in by page")).to_contain_text("withdrawn")


def test_a_custodian_describes_a_dataset_in_a_form(page, web, client):
    log_in(page, "custodian")
    page.goto("/datasets")
    page.click("text=Describe a dataset")
    values = {
        "slug": "by-form",
        "title": 'Cases "of" the \\ night shelter',
        "description": "Every stay at the night shelter with signs of exploitation, one row a stay.",
        "keywords": "shelter, exploitation",
        "start": "2019",
        "end": "20",
        "contact": "Data desk",
        "email": "data@shelter.example",
    }
    for name, value in values.items():
        page.fill(f"#{name}", value)
    page.select_option("#regime", "GDPR")
    page.check("[name=purposes][value=TraffickingStatistics]")
    page.click("text=Keep as a draft")
    expect(page.locator("[role=alert]")).to_contain_text("four digits")
    expect(page.locator("#title")).to_have_value(values["title"])
    page.fill("#end", "2024")
    page.click("text=Keep as a draft")
    expect(page.locator("h1")).to_contain_text("night shelter")
    assert client.get("/dataset/by-form").status_code == 404
    page.click("button[value=publish]")
    shown = client.get("/dataset/by-form", headers={"Accept": "text/html"})
    assert "its purpose is statistics on trafficking" in shown.text


def test_an_auditor_checks_the_ledger(page):
    log_in(page, "auditor")
    page.goto("/ledger")
    page.click("text=Check all of it now")
    expect(page.locator("[role=status]")).to_contain_text("The ledger is whole")


def test_a_token_is_shown_once(page, client):
    log_in(page, "researcher")
    page.goto("/account")
    page.fill("#label", "from the page")
    page.fill("#token-password", PASSWORD)
    page.click("text=Make a token")
    token = page.locator("[role=status] pre").inner_text().strip()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    page.goto("/account")
    assert token not in page.content()
    page.locator("tr", has_text="from the page").locator("text=Take back").click()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_the_cookie_is_out_of_reach_and_ends_with_log_out(page, client):
    log_in(page, "auditor")
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    page.click("text=Log out")
    assert "/login" in page.url
    answer = client.get("/home", headers={"Cookie": f"{cookie['name']}={cookie['value']}"})
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/logout", "/study/new", "/datasets", "/ledger", "/account/tokens"])
def test_a_form_from_elsewhere_is_not_taken(page, client, path):
    log_in(page, "auditor")
    cookie = page.context.cookies()[0]
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    for form in ({}, {"csrf": "made-up"}):
        assert client.post(path, data=form, headers=headers).status_code == 403
    word = re.search(r'name="csrf" value="([^"]+)"', page.content())[1]
    elsewhere = headers | {"Sec-Fetch-Site": "cross-site"}
    assert client.post(path, data={"csrf": word}, headers=elsewhere).status_code == 403


def test_log_in_leads_only_to_pages_of_this_node(client):
    for after in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        form = {"username": "auditor", "password": PASSWORD, "after": after}
        answer = client.post("/login", data=form)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/home"
    client.cookies.clear()


def test_pages_fit_a_small_screen_and_the_dark(browser, web):
    context = browser.new_context(
        base_url=web.base, viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    small = context.new_page()
    for path in ("/", "/dataset/victims", "/login", "/search", "/algorithms"):
        small.goto(path)
        wide = small.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, path
        colour = small.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(18, 24, 31)"
    context.close()


def test_every_field_has_a_label(browser, web):
    context = browser.new_context(base_url=web.base)
    page = context.new_page()
    log_in(page, "researcher")
    for path in ("/study/new", "/account", "/search"):
        page.goto(path)
        bare = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]),select,textarea')]"
            ".filter(e => !e.labels.length).map(e => e.name)"
        )
        assert bare == [], path
    context.close()
