"""What the UI offers beside the graph: node library, blueprint, help pages, About, other languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_node_view import first_frame
from tests.browser.ui import Ui
from tests.comfyui.conftest import PACK
from tools.comfyui import ComfyUI

NAMES = {
    "SeedanceTextToVideo": "Seedance Text to Video",
    "SeedanceOptions": "Seedance Options",
    "LoadSeedanceVideo": "Load Seedance Video",
    "SeedanceUpscaleVideo": "Upscale Seedance Video",
}
DURATION_LABEL = """() => {
    const options = app.graph.nodes.find((node) => node.type === "SeedanceOptions")
    return options.widgets.find((widget) => widget.name === "duration").label
}"""

CONTROL = """() => {
    const options = app.graph.nodes.find((node) => node.type === "SeedanceOptions")
    return options.widgets.find((widget) => widget.name === "control_after_generate").value
}"""


def test_the_library_offers_the_nodes_and_the_blueprint(ui: Ui) -> None:
    ui.search_library("Seedance")
    for name in (*NAMES.values(), "Seedance to upscaled video"):
        expect(ui.page.get_by_text(name, exact=True)).to_be_visible()


def test_about_shows_the_badge(ui: Ui) -> None:
    about = ui.open_settings("About")
    badge = about.get_by_role("link", name="Seedance v")
    expect(badge).to_be_visible()
    expect(badge).to_have_attribute("href", "https://github.com/seedance-comfyui/seedance-comfyui")


@pytest.mark.parametrize("node_type", NAMES)
def test_the_help_page_opens_with_its_picture(ui: Ui, node_type: str) -> None:
    ui.add_node(node_type)
    ui.open_help(node_type)
    expect(ui.page.get_by_role("heading", name=NAMES[node_type], level=1)).to_be_visible()
    expect(ui.page.get_by_role("heading", name="Outputs")).to_be_visible()
    picture = ui.page.locator("img[src*='/extensions/seedance/docs/']")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(picture) => picture.naturalWidth") > 0


def test_a_new_node_keeps_its_seed_and_a_workflow_what_it_says(ui: Ui) -> None:
    """A seed that changes by itself would buy another video where a stopped one was to be collected."""
    ui.add_node("SeedanceOptions")
    assert ui.page.evaluate(CONTROL) == "fixed"
    saved = ui.page.evaluate("() => app.graph.serialize()")
    (options,) = saved["nodes"]
    options["widgets_values"][options["widgets_values"].index("fixed")] = "increment"
    ui.open_workflow(saved)
    assert ui.page.evaluate(CONTROL) == "increment"


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_the_ui_speaks_the_users_language(
    page: Page, server: ComfyUI, settings: Callable[[Mapping[str, object]], None], language: str
) -> None:
    settings({"Comfy.Locale": language})
    ui = Ui.opened(page, server.url)
    nodes, panel = texts(language, "nodeDefs"), texts(language, "main")["seedance"]
    names = [nodes[node_type]["display_name"] for node_type in NAMES]
    assert not any(name.isascii() for name in names)
    ui.search_library("Seedance")
    for name in names:
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    ui.add_node("SeedanceOptions")
    assert page.evaluate(DURATION_LABEL) == nodes["SeedanceOptions"]["inputs"]["duration"]["name"]
    expect(ui.open_settings("Seedance")).to_contain_text(panel["tokenNone"])
    expect(ui.dialog.get_by_role("button", name=panel["save"], exact=True)).to_be_visible()


def test_the_line_speaks_the_users_language(
    page: Page, server: ComfyUI, settings: Callable[[Mapping[str, object]], None], token: str, prompt: str
) -> None:
    settings({"Comfy.Locale": "ja"})
    ui = Ui.opened(page, server.url)
    ui.load(first_frame(prompt))
    ui.command("Comfy.QueuePrompt")
    assert ui.wait_for_end() == "execution_success"
    said = texts("ja", "main")["seedance"]
    frames = said["frames"].format(frames=49, width=864, height=480, fps=24)
    expect(page.get_by_text(frames)).to_be_visible()
    assert any(line.startswith(said["submitting"]) for line in ui.lines()), ui.lines()


def texts(language: str, file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PACK / "locales" / language / f"{file}.json").read_text(encoding="utf-8"))
    return found
