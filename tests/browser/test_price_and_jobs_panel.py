"""What a run costs, said on the node before it; and the sidebar's tab with all paid jobs, as a hand uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from nodes.jobs.events import dollars
from nodes.jobs.journal import Journal
from nodes.jobs.listing import totals
from nodes.jobs.records import JobRecord, RequestKey, State
from nodes.jobs.waiting import Clock
from nodes.rehearsal import VideoRequest
from nodes.runcomfy.request import GenerationRequest
from nodes.runcomfy.token import Token
from tests.browser.conftest import TOKEN, in_both, save_token
from tests.browser.screenshots import Screenshots
from tests.browser.test_node_view import expect_run, first_frame
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tests.comfyui.seedance_graphs import node
from tests.support.job_records import record_in
from tests.support.rehearsal import RehearsalService
from tools.comfyui import ComfyUI

NODE = "SeedanceTextToVideo"
LOADER = "LoadSeedanceVideo"
OPTIONS = "SeedanceOptions"
SERIALIZED = "() => JSON.stringify(app.graph.serialize())"
MANY = 65  # two pages and a bit
PLAYS = "(video) => !video.paused && video.currentTime > 0"
TAB = ".seedance-jobs"
BOAT = "A paper boat on a puddle at night, the lights of the city in the water"


@pytest.fixture
def journal(server: ComfyUI) -> Iterator[Journal]:
    """The server's own, beside which the server goes on using it."""
    journal = Journal(server.base / "user" / "__seedance" / "jobs.sqlite3", Clock())
    yield journal
    journal.close()


@in_both
def test_the_price_follows_the_widgets(ui: Ui, service_log: ServiceLog, token: str, prompt: str) -> None:
    ui.load(first_frame("to be replaced", count=4))
    quote = ui.page.locator(".seedance-quote").locator("visible=true")
    expect_price(quote, "$0.16: 4 videos of 2 s, 480p")
    ui.type_prompt(prompt)
    ui.choose(OPTIONS, "duration", 7)
    expect(quote).to_have_text("From $0.56: 4 videos of 7 s, 480p")
    ui.expect_on(NODE, quote)
    ui.choose(NODE, "mode", "rehearsal")
    expect(quote).to_have_text("Free: rehearsal")
    ui.choose(NODE, "mode", "live")
    ui.choose(OPTIONS, "duration", 2)
    ui.choose(OPTIONS, "count", 1)
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")
    service_log.service.hold()
    ui.run()
    expect(quote).to_have_text("Free: is being made")
    service_log.service.release()
    assert ui.wait_for_end() == "execution_success"
    expect(quote).to_have_text("Free: already made")
    ui.choose(OPTIONS, "count", 4)
    expect(quote).to_have_text("About $0.12: 3 of 4 videos of 2 s, 480p")
    assert "About" not in ui.page.evaluate(SERIALIZED)
    assert "About" not in str(ui.posts())


def test_without_a_token_the_node_says_so_until_there_is_one(ui: Ui, token_file: Path, prompt: str) -> None:
    ui.load(first_frame(prompt, duration=11))  # no test makes one so long, whose cost would be known
    quote = ui.page.locator(".seedance-quote").locator("visible=true")
    expect(quote).to_have_text("No token. Live runs need one; rehearsal does not.")
    save_token(token_file, TOKEN)
    expect(quote).to_have_text("From $0.22: 1 video of 11 s, 480p")


@in_both
def test_a_price_is_told_where_the_values_come_through_links(ui: Ui, token: str, prompt: str) -> None:
    graph = first_frame(["made", 0]) | {"made": node("StringConcatenate", string_a=prompt, string_b="", delimiter="")}
    ui.load(graph)
    quote = ui.page.locator(".seedance-quote").locator("visible=true")
    expect_price(quote, "$0.04 per video")
    ui.load(first_frame(["made", 0]) | {"made": node("PrimitiveString", value=prompt)})
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")
    ui.load(first_frame(prompt))  # a node less: where they are small, Nodes 2.0 show no widgets
    subgraph = ui.convert_to_subgraph(NODE)
    ui.expect_on(subgraph, quote)
    expect_price(quote, "$0.04: 1 video of 2 s, 480p")


@in_both
def test_a_job_is_followed_watched_loaded_and_asked_for_again(
    ui: Ui, service_log: ServiceLog, token: str, screenshots: Screenshots
) -> None:
    seed = 20 if ui.has_nodes_2 else 10
    panel = opened(ui)
    service_log.service.hold()
    ui.load(first_frame(BOAT, seed=seed, count=2))
    ui.run()
    job = card(panel, f"seed {seed}")
    expect(job).to_contain_text("Being made")
    service_log.service.release()
    assert ui.wait_for_end() == "execution_success"
    expect(job).to_contain_text("On disk · $0.04")
    expect(job).to_contain_text(f"480p, 16:9, 2 s, seed {seed}")
    poster = job.get_by_role("button", name="Open video")
    poster.hover()
    video = poster.locator("video")
    ui.page.wait_for_function(PLAYS, arg=video.element_handle())
    poster.click()
    large = ui.page.locator("dialog.seedance-large video")
    expect(large).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    ui.start_over(nodes_2=ui.has_nodes_2)
    press(job, "Use again")
    assert sorted(ui.node_types()) == [OPTIONS, NODE]
    assert ui.widgets(NODE)["text"] == BOAT
    (asked,) = [each["inputs"] for each in ui.as_api().values() if each["class_type"] == OPTIONS]
    assert (asked["duration"], asked["seed"], asked["count"]) == (2, seed, 1)
    expect(ui.page.locator(".seedance-quote").locator("visible=true")).to_have_text("Free: already made")
    if not ui.has_nodes_2:
        screenshots.take("jobs", ui.page)
    ui.start_over(nodes_2=ui.has_nodes_2)
    press(job, "Load")
    assert ui.node_types() == [LOADER]
    assert ui.widgets(LOADER)["source"] == next(
        each.request_id for each in service_log.submissions if each.input["seed"] == seed
    )


def test_what_is_listed_is_searched_filtered_and_scrolled_and_shown_as_it_is_now(
    ui: Ui, journal: Journal, token: str, prompt: str
) -> None:
    """Further down, too: what changes there leaves a list to which it does not belong any more."""
    slow, slower = (record(journal, State.ACCEPTED, GenerationRequest(f"{prompt} {name}")) for name in ("one", "two"))
    lanterns = [
        record(
            journal,
            State.SAVED if number % 2 else State.CANCELLED,
            GenerationRequest(f"Lantern {number} über Öl, {prompt}"),
        )
        for number in range(MANY)
    ]
    panel = opened(ui)
    jobs, search, group = (panel.get_by_role(role) for role in ("listitem", "searchbox", "combobox"))
    search.fill(f"öl, {prompt[:8].upper()}")
    expect(panel).to_contain_text("No jobs. Rehearsals are not listed.")
    search.fill(prompt.upper())
    for number in (35, 34):
        card(panel, f"Lantern {number} über").scroll_into_view_if_needed()
    expect(card(panel, "Lantern 34 über")).to_contain_text("Cancelled")
    journal.transition(lanterns[34], State.SUCCEEDED)  # the first of the next page, below jobs of the newest
    expect(card(panel, "Lantern 34 über")).to_contain_text("Paid for, not on disk")
    for text in ("Lantern 5 über", f"{prompt} one"):
        card(panel, text).scroll_into_view_if_needed()
    expect(jobs).to_have_count(MANY + 2)
    expect(card(panel, f"{prompt} one")).to_contain_text("Being made")
    paid = journal.transition(slow, State.SUCCEEDED, cost=3.21)
    expect(card(panel, f"{prompt} one")).to_contain_text("Paid for, not on disk · $3.21")
    expect(panel).to_contain_text(f"all {dollars(totals(journal)['all']['cost'])}")
    journal.transition(paid, State.EXPIRED)
    expect(card(panel, f"{prompt} one")).to_contain_text("No longer at RunComfy")
    group.select_option("Made")
    expect(jobs.first).to_contain_text("Lantern 63 über")
    expect(card(panel, "Lantern 62 über")).to_have_count(0)
    other = record(journal, State.ACCEPTED, GenerationRequest(f"{prompt} three"))
    group.select_option("Under way")
    expect(jobs).to_have_count(2)
    for job, left in ((slower, 1), (other, 0)):
        journal.transition(job, State.CANCELLED)
        expect(jobs).to_have_count(left)
    with ui.page.expect_download() as download:
        panel.get_by_role("link", name="Export as CSV").click()
    assert f"Lantern 0 über Öl, {prompt}" in Path(download.value.path()).read_text(encoding="utf-8")


def test_a_server_that_answers_again_is_complained_of_no_more(ui: Ui, token: str) -> None:
    status = opened(ui).get_by_role("status")
    ui.page.route("**/seedance/jobs?*", lambda route: route.fulfill(body="a gateway's page"))
    expect(status).to_have_text("ComfyUI did not answer. Is it still running?")
    ui.page.unroute("**/seedance/jobs?*")
    expect(status).to_have_text("")


def test_a_video_that_is_not_on_disk_is_fetched(
    ui: Ui, server: ComfyUI, service_log: ServiceLog, token: str, prompt: str
) -> None:
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    (file,) = (server.base / "output" / "seedance").glob(f"*{service_log.submissions[-1].request_id}.mp4")
    file.unlink()
    job = card(opened(ui), prompt)
    press(job, "Fetch")
    expect(job).to_contain_text("On disk")
    assert file.is_file()
    assert len(service_log.submissions) == 1


def test_an_unclear_job_is_linked_or_submitted_again(
    ui: Ui, journal: Journal, service: RehearsalService, service_log: ServiceLog, token: str, prompt: str
) -> None:
    texts = [f"{prompt}, linked", f"{prompt}, again"]
    for text in texts:
        record(journal, State.UNKNOWN, GenerationRequest(text, duration=2, seed=1), service.origin)
    panel = opened(ui)
    linked, again = (card(panel, text) for text in texts)
    expect(linked).to_contain_text("Unclear whether RunComfy took it")
    request_id = service.store.submit(VideoRequest(text=texts[0], duration=2, seed=1)).request_id
    press(linked, "Link id")
    ui.dialog.get_by_role("textbox").fill(request_id)
    ui.page.keyboard.press("Enter")
    expect(linked).to_contain_text("Being made")
    press(again, "Submit again")
    ui.dialog.get_by_role("button", name="Confirm").click()
    expect(panel.get_by_role("status")).to_have_text("")
    for text, bought in zip(texts, (1, 2), strict=True):
        ui.load(first_frame(text))
        ui.run()
        assert ui.wait_for_end() == "execution_success", ui.lines()
        assert len(service_log.submissions) == bought, text


def expect_price(quote: Locator, price: str) -> None:
    """By what such videos have cost, if another test has made one, else by the list."""
    expect(quote).to_have_text(re.compile(f"^(About|From) {re.escape(price)}$"))


def opened(ui: Ui) -> Locator:
    """The tab, which is opened if it is closed."""
    panel = ui.page.locator(TAB)
    if not panel.is_visible():
        ui.page.get_by_role("button", name="Seedance", exact=True).first.click()
    panel.get_by_role("searchbox").fill("")
    panel.get_by_role("combobox").select_option("All jobs")
    return panel


def card(panel: Locator, text: str) -> Locator:
    return panel.get_by_role("listitem").filter(has_text=text)


def press(job: Locator, button: str) -> None:
    """Presses one of a job's buttons, whose names for a screen reader go on with the job's text."""
    job.get_by_role("button", name=re.compile(f"^{button}:")).click()


def record(journal: Journal, state: State, request: GenerationRequest, origin: str = "https://elsewhere") -> JobRecord:
    """Writes down a job that came to this."""
    key = RequestKey.of(request, account=Token(TOKEN, "the test").account, origin=origin)
    return record_in(state, journal, key, request)
