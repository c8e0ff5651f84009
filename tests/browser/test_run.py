"""From a template to a video on the node, as in README; and the moving picture of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import groupby

from playwright.sync_api import FloatRect, expect

from tests.browser.conftest import in_both
from tests.browser.screenshots import Screenshots
from tests.browser.test_node_view import first_frame
from tests.browser.ui import Ui
from tests.comfyui.seedance_graphs import HEIGHT, WIDTH
from tools.comfyui import ComfyUI

NODE = "SeedanceTextToVideo"
TEMPLATE = "Seedance - First video (rehearsal)"
TEXT = "A small round robot rolls across a wooden desk at night."
FILMED = (500, 40, 1440, 745)
"""The node, the one after it, and Run: left, top, right, bottom."""
TYPES = "() => Object.values(app.nodeOutputs).flatMap((each) => each.images.map((file) => file.type))"
FILES = """() => Object.values(app.nodeOutputs).flatMap((each) => each.images.map((file) => file.filename))
    .filter((name) => name.endsWith(".mp4"))"""
MIDDLE = """(video) => new Promise((done) => {
    video.onseeked = done
    video.currentTime = video.duration / 2
})"""


@in_both
def test_a_template_becomes_a_video_on_the_node(ui: Ui, screenshots: Screenshots) -> None:
    ui.open_template(TEMPLATE)
    ui.dismiss_banner()
    ui.choose(NODE, "reuse", ui.has_nodes_2)  # there, of the run before
    ui.settle()
    video = ui.page.locator(".seedance-view video")
    expect(video).to_have_count(0)  # nothing of the run before
    ui.page.evaluate("() => { app.canvas.ds.offset[1] -= 40 }")  # room for the video below
    ui.settle()
    with nullcontext() if ui.has_nodes_2 else screenshots.film("run", ui.page, FILMED):
        ui.type_prompt(TEXT, pause=20)
        ui.run()
        assert ui.wait_for_end() == "execution_success"
    made = ["Submitting", "Queued", "Generating", "Downloading", "Done"]
    assert phases(ui.lines()) == (["Loaded"] if ui.has_nodes_2 else made)
    ui.settle()
    ui.expect_on(NODE, ui.line("Loaded again" if ui.has_nodes_2 else "Done in"))
    ui.expect_on(NODE, video)
    # It shows a picture of the size that was asked for, and it moves.
    video.evaluate("(video) => video.play()")
    ui.page.wait_for_function("(video) => video.currentTime > 0", arg=video.element_handle())
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [WIDTH, HEIGHT]
    assert ui.page.evaluate(TYPES) == ["output", "output"]  # the node's own video, and the saved one
    if ui.has_nodes_2:
        return
    ui.choose(NODE, "reuse", True)  # as the template has it
    ui.page.evaluate("() => app.canvas.deselectAll()")
    for player in ui.page.locator("video").all():
        player.evaluate("(video) => video.pause()")
        player.evaluate(MIDDLE)
    expect(ui.page.get_by_text("job completed")).to_be_hidden()
    screenshots.take("graph", ui.page)
    screenshots.take_part("../web/docs/assets/text-to-video", ui.page, with_title(ui.place_of(NODE)))


@in_both
def test_a_videos_file_brings_its_graph_back(ui: Ui, server: ComfyUI, prompt: str) -> None:
    ui.load(first_frame(prompt, mode="rehearsal"))
    ui.run()
    assert ui.wait_for_end() == "execution_success"
    graph = ui.as_api()
    (name,) = ui.page.evaluate(FILES)
    ui.start_over(nodes_2=ui.has_nodes_2)
    ui.drop(server.base / "output" / "seedance" / "rehearsal" / name)
    ui.page.wait_for_function("() => app.graph.nodes.length > 0")
    assert ui.as_api() == graph


def with_title(node: FloatRect) -> FloatRect:
    """A node's place together with the bar above it."""
    return FloatRect(x=node["x"] - 4, y=node["y"] - 30, width=node["width"] + 8, height=node["height"] + 36)


def phases(lines: Iterable[str]) -> list[str]:
    """The first word of each line, without repetitions."""
    return [word for word, _ in groupby(re.split(r"\W", line)[0] for line in lines)]
