"""What the UI offers beside the graph: node library, blueprint, help pages, About, other languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import SETTINGS, TOKEN, save_token, write_settings
from tests.browser.test_node_view import first_frame
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog, get
from tools.comfyui import ComfyUI

NAMES = ("Seedance Text to Video", "Seedance Options", "Load Seedance Video", "Upscale Seedance Video")
DURATION_LABEL = """() => nodeOf("SeedanceOptions").widgets.find(({name}) => name === "duration").label"""
CONTROL = "control_after_generate"
MARK = "ع: "
"""Before each text in the test's own Arabic."""


def test_the_library_offers_the_nodes_and_the_blueprint(ui: Ui) -> None:
    ui.search_library("Seedance")
    for name in (*NAMES, "Seedance to upscaled video"):
        expect(ui.page.get_by_text(name, exact=True)).to_be_visible()


def test_about_shows_the_badge(ui: Ui) -> None:
    about = ui.open_settings("About")
    badge = about.get_by_role("link", name="Seedance v")
    expect(badge).to_be_visible()
    expect(badge).to_have_attribute("href", "https://github.com/seedance-comfyui/seedance-comfyui")


def test_the_help_page_opens_with_its_picture(ui: Ui) -> None:
    """Of one node: `tests/comfyui/test_locales.py` has all pages and pictures."""
    ui.add_node("SeedanceOptions")
    ui.page.evaluate("() => app.canvas.selectNode(nodeOf('SeedanceOptions'))")
    ui.page.get_by_test_id("info-button").click()
    expect(ui.page.get_by_role("heading", name="Seedance Options", level=1)).to_be_visible()
    picture = ui.page.locator("img[src*='/extensions/seedance/docs/']")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(picture) => picture.naturalWidth") > 0


def test_a_new_node_keeps_its_seed_and_a_workflow_what_it_says(ui: Ui) -> None:
    """A seed that changes by itself would buy another video where a stopped one was to be collected."""
    ui.add_node("SeedanceOptions")
    assert ui.widgets("SeedanceOptions")[CONTROL] == "fixed"
    saved = ui.page.evaluate("() => app.graph.serialize()")
    (options,) = saved["nodes"]
    options["widgets_values"][options["widgets_values"].index("fixed")] = "increment"
    ui.open_workflow(saved)
    assert ui.widgets("SeedanceOptions")[CONTROL] == "increment"


def test_all_that_is_said_is_worded_in_the_users_language(
    page: Page, server: ComfyUI, service_log: ServiceLog, token_file: Path, prompt: str
) -> None:
    """By the UI, the pack's panels and the server: in an Arabic that says all that English does, from right to left."""
    write_settings(server.base, SETTINGS | {"Comfy.Locale": "ar"})
    packs = get(server, "/i18n").json()
    packs["ar"] = marked(packs["en"])
    page.route("**/i18n", lambda route: route.fulfill(json=packs))
    ui = Ui.opened(page, server.url)
    worded = re.compile(f"^{MARK}(?!.*[.] [A-Z])", re.DOTALL)  # no sentence without its mark
    ui.search_library("Seedance")
    expect(page.get_by_text(f"{MARK}Seedance Options", exact=True)).to_be_visible()
    ui.add_node("SeedanceOptions")
    assert page.evaluate(DURATION_LABEL) == f"{MARK}duration"
    ui.load(first_frame(prompt, count=2))
    ui.command("Comfy.QueuePrompt")
    assert ui.wait_for_end() == "execution_error"
    line = page.locator(".seedance-line").locator("visible=true")
    expect(line).to_have_text(worded)
    expect(line).to_have_css("direction", "rtl")
    page.keyboard.press("Escape")  # older UIs open a dialog over the page
    expect(ui.message(MARK).first).to_be_visible()
    panel = ui.open_settings(f"{MARK}Seedance").locator(".seedance-token")
    panel.get_by_role("textbox").fill("another-token-than-the-account's")
    panel.get_by_role("button", name=f"{MARK}Save", exact=True).click()
    status = panel.get_by_role("status")
    expect(status).to_have_text(worded)
    panel.get_by_role("button", name=f"{MARK}Check", exact=True).click()
    expect(status).to_contain_text("RunComfy")
    expect(status).to_have_text(worded)
    page.keyboard.press("Escape")
    save_token(token_file, TOKEN)
    service_log.service.hold()
    ui.load(first_frame(prompt))
    ui.command("Comfy.QueuePrompt")
    expect(line).to_have_text(re.compile(f"^({MARK})+Queued"))
    page.evaluate("() => app.api.interrupt(null)")
    assert ui.wait_for_end() == "execution_interrupted"
    expect(line).to_have_text(re.compile(f"^({MARK})+Stopped"))


def marked(english: Any) -> Any:
    """Each text with a mark before it."""
    return {key: marked(text) for key, text in english.items()} if isinstance(english, dict) else MARK + english
