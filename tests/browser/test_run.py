"""From a template to a video on the node, and what a user sees on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.screenshots import Screenshots
from tests.browser.ui import Ui
from tests.comfyui.conftest import Books
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import HEIGHT, WIDTH, generation, node, output
from tools.comfyui import ComfyUI

NODE = "SeedanceTextToVideo"
SHOWN_WHOLE = """(line) => {
    const boxes = [line, line.parentElement, line.parentElement.parentElement]
    return boxes.every((box) => getComputedStyle(box).display === "inline" || box.scrollHeight <= box.clientHeight + 1)
}"""
NODES_2 = "Comfy.VueNodes.Enabled"


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
    ui.open_template("First video (rehearsal)")
    ui.set_widget(NODE, "reuse", False)
    ui.run()
    assert ui.wait_for_end() == "execution_success"
    assert phases(ui.lines()) == ["Submitting", "Queued", "Generating", "Downloading", "Done"]
    ui.expect_on(NODE, ui.line("Done in"))
    video = page.locator("video[src*='subfolder=seedance']")
    ui.expect_on(NODE, video)
    plays(video)
    shown = page.evaluate(
        "() => Object.values(app.nodeOutputs).flatMap((each) => each.images.map((file) => file.type))"
    )
    assert shown == ["output", "output"]  # the node's own video, and the saved one
    if nodes == "classic nodes":
        ui.dismiss_banner()
        screenshots.take("graph", page)


def test_the_line_on_the_node_follows_the_job(ui: Ui, books: Books, token: str, prompt: str) -> None:
    books.service.hold()
    ui.load(saving(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    books.hold_once_running()
    ui.expect_on(NODE, ui.line("Generating"))
    books.service.release()
    ui.expect_on(NODE, ui.line("Done in"))
    assert ui.wait_for_end() == "execution_success"


def test_stop_cancels_the_job_that_waits(ui: Ui, books: Books, token: str, prompt: str) -> None:
    books.service.hold()
    ui.load(saving(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    ui.stop()
    assert ui.wait_for_end() == "execution_interrupted"
    (submission,) = books.submissions
    assert submission.cancelled
    ui.expect_on(NODE, ui.line("Stopped"))
    expect(ui.page.get_by_role("alert")).to_have_count(0)  # it is no failure


def test_a_failure_is_told_in_full_on_the_node_and_in_a_message(
    ui: Ui, books: Books, token_file: object, prompt: str
) -> None:
    ui.load(saving(prompt))
    ui.run()
    assert ui.wait_for_end() == "execution_error"
    message = ui.lines()[-1]
    assert "No RunComfy token" in message
    assert "Settings > Seedance" in message
    ui.expect_on(NODE, ui.line(message))
    expect(ui.page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    ui.page.wait_for_function(SHOWN_WHOLE, arg=ui.line(message).element_handle())
    assert books.calls == {}


def saving(prompt: str) -> ApiGraph:
    """A live generation whose video is saved, which is what makes it run."""
    graph = generation(prompt)
    del graph["probe"]
    return graph | {
        "save": node("SaveVideo", video=output("video"), filename_prefix="video/saved", format="auto", codec="auto")
    }


def plays(video: Locator) -> None:
    """The player shows a picture of the size that was asked for, and it moves."""
    video.evaluate("(video) => video.play()")
    video.page.wait_for_function("(video) => video.currentTime > 0", arg=video.element_handle())
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [WIDTH, HEIGHT]
    video.evaluate("(video) => video.pause()")


def phases(lines: Iterable[str]) -> list[str]:
    """The first word of each line, without repetitions."""
    return [word for word, _ in groupby(re.split(r"\W", line)[0] for line in lines)]
