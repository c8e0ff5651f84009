"""From a template to a video on the node, and what a user sees on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.conftest import NODES_2, save_token
from tests.browser.screenshots import Screenshots
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import HEIGHT, WIDTH, generation, node, output
from tools.comfyui import ComfyUI

NODE = "SeedanceTextToVideo"
SHOWN_WHOLE = """(line) => {
    const boxes = [line, line.parentElement, line.parentElement.parentElement]
    return boxes.every((box) => getComputedStyle(box).display === "inline" || box.scrollHeight <= box.clientHeight + 1)
}"""
MIDDLE = """(video) => new Promise((done) => {
    video.onseeked = done
    video.currentTime = video.duration / 2
})"""


@pytest.mark.parametrize("nodes", ["classic nodes", "nodes 2.0"])
def test_a_template_becomes_a_video_on_the_node(
    page: Page,
    server: ComfyUI,
    settings: Callable[[Mapping[str, object]], None],
    screenshots: Screenshots,
    nodes: str,
) -> None:
    settings({NODES_2: nodes == "nodes 2.0"})
    ui = Ui.opened(page, server.url)
    ui.open_template("Seedance - First video (rehearsal)")
    ui.set_widget(NODE, "reuse", False)
    ui.run()
    assert ui.wait_for_end() == "execution_success"
    assert phases(ui.lines()) == ["Submitting", "Queued", "Generating", "Downloading", "Done"]
    ui.settle()
    ui.expect_on(NODE, ui.line("Done in"))
    video = page.locator(".seedance-view video")
    ui.expect_on(NODE, video)
    plays(video)
    shown = page.evaluate(
        "() => Object.values(app.nodeOutputs).flatMap((each) => each.images.map((file) => file.type))"
    )
    assert shown == ["output", "output"]  # the node's own video, and the saved one
    if nodes == "classic nodes":
        ui.dismiss_banner()
        ui.set_widget(NODE, "reuse", True)  # as the template has it
        for player in page.locator("video").all():
            player.evaluate(MIDDLE)
        expect(page.get_by_text("job completed")).to_be_hidden()
        screenshots.take("graph", page)
        screenshots.take_part("../web/docs/assets/text-to-video", page, with_title(ui.place_of(NODE)))


def test_the_line_on_the_node_follows_the_job(ui: Ui, service_log: ServiceLog, token: str, prompt: str) -> None:
    service_log.service.hold()
    ui.load(saving(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    service_log.hold_once_running()
    ui.expect_on(NODE, ui.line("Generating"))
    service_log.service.release()
    ui.expect_on(NODE, ui.line("Done in"))
    assert ui.wait_for_end() == "execution_success"


def test_stop_cancels_the_job_that_waits(ui: Ui, service_log: ServiceLog, token: str, prompt: str) -> None:
    service_log.service.hold()
    ui.load(saving(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    ui.stop()
    assert ui.wait_for_end() == "execution_interrupted"
    (submission,) = service_log.submissions
    assert submission.cancelled
    ui.settle()
    ui.expect_on(NODE, ui.line("Stopped"))
    expect(ui.message("Seedance")).to_have_count(0)  # it is no failure


def test_a_failure_is_told_in_full_on_the_node_and_in_a_message(
    ui: Ui, service_log: ServiceLog, token_file: object, prompt: str
) -> None:
    ui.load(saving(prompt))
    ui.run()
    assert ui.wait_for_end() == "execution_error"
    message = ui.lines()[-1]
    assert "No RunComfy token" in message
    assert "Settings > Seedance" in message
    ui.settle()
    ui.expect_on(NODE, ui.line(message))
    expect(ui.message(message)).to_be_visible()
    ui.page.wait_for_function(SHOWN_WHOLE, arg=ui.line(message).element_handle())
    assert service_log.calls == {}


def test_the_next_failure_takes_the_place_of_the_one_before(
    ui: Ui, service_log: ServiceLog, token_file: Path, prompt: str
) -> None:
    ui.load(saving(prompt))
    ui.run()
    assert ui.wait_for_end() == "execution_error"
    first = ui.message("No RunComfy token")
    expect(first).to_be_visible()
    ui.page.keyboard.press("Escape")  # older UIs open a dialog over the page
    save_token(token_file, "not-the-account's")
    ui.run()
    expect(ui.message("did not accept the token")).to_be_visible()
    expect(first).to_have_count(0)
    assert not service_log.submissions


def test_a_closed_subgraph_shows_the_line_of_the_node_in_it(
    ui: Ui, service_log: ServiceLog, token: str, prompt: str
) -> None:
    """ComfyUI itself shows nothing there, for as long as a video takes."""
    service_log.service.hold()
    ui.load(saving(prompt))
    subgraph = ui.convert_to_subgraph(NODE)
    ui.run()
    ui.expect_on(subgraph, ui.line("Queued"))
    service_log.service.release()
    assert ui.wait_for_end() == "execution_success"
    ui.settle()
    ui.expect_on(subgraph, ui.line("Done in"))


def saving(prompt: str) -> ApiGraph:
    """A live generation whose video is saved, which is what makes it run."""
    graph = generation(prompt)
    del graph["probe"]
    return graph | {
        "save": node("SaveVideo", video=output("video"), filename_prefix="video/saved", format="auto", codec="auto")
    }


def with_title(node: FloatRect) -> FloatRect:
    """A node's place together with the bar above it."""
    return FloatRect(x=node["x"] - 4, y=node["y"] - 30, width=node["width"] + 8, height=node["height"] + 36)


def plays(video: Locator) -> None:
    """The player shows a picture of the size that was asked for, and it moves."""
    video.evaluate("(video) => video.play()")
    video.page.wait_for_function("(video) => video.currentTime > 0", arg=video.element_handle())
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [WIDTH, HEIGHT]
    video.evaluate("(video) => video.pause()")


def phases(lines: Iterable[str]) -> list[str]:
    """The first word of each line, without repetitions."""
    return [word for word, _ in groupby(re.split(r"\W", line)[0] for line in lines)]
