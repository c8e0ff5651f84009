"""What a node says and shows, in the classic canvas and in Nodes 2.0: whatever is typed, run again, loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.conftest import TOKEN, in_both, save_token
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import generation, node, output

NODE = "SeedanceTextToVideo"
LOADER = "LoadSeedanceVideo"
LAST_WIDGET = f"() => nodeOf('{NODE}').widgets.at(-1).name"
NEWEST_IS = f"(name) => nodeOf('{LOADER}').widgets[0].options.values[0] === name"
# Nodes 2.0 of the oldest UI that is supported asks no extension what to put into a node's menu.
MENU_IS_THE_UIS_OWN = "() => LiteGraph.vueNodesMode && window.__COMFYUI_FRONTEND_VERSION__.startsWith('1.32.')"
SHOWN_WHOLE = """(line) => [line, line.parentElement, line.parentElement.parentElement].every((box) =>
    getComputedStyle(box).display === "inline" || box.scrollHeight <= box.clientHeight + 1)"""
FRAMES_SHOWN = """async ([video, least]) => {
    const shown = new Set()
    await new Promise((done) => setTimeout(done, 500)) // it begins somewhere
    for (let count = 0; count < 60 || (shown.size < least && count < 1000); count++) {
        if (!video.seeking) shown.add(Math.floor(video.currentTime * 24 + 0.01))
        await new Promise((done) => setTimeout(done, 20))
    }
    return [...shown].sort((a, b) => a - b)
}"""


@in_both
def test_a_second_run_executes_nothing_and_a_reload_forgets_nothing(ui: Ui, token: str, prompt: str) -> None:
    ui.load(first_frame("to be replaced"))
    ui.type_prompt(prompt)
    expect_run(ui, "execution_success")
    expect_line_above_player(ui)
    expect_run(ui, "execution_success")
    first, last = ui.posts()[-2:]
    assert last == first
    assert ui.page.evaluate("() => window.heard.executed") == []
    expect_line_above_player(ui)
    ui.page.reload()
    ui.listen()
    expect_line_above_player(ui)
    expect_run(ui, "execution_success")
    assert ui.posts() == [first]
    expect_line_above_player(ui)


@in_both
def test_a_line_stays_with_its_tab(ui: Ui, service_log: ServiceLog, token: str, prompt: str) -> None:
    """Also if the other tab has a node with the same id."""
    service_log.service.hold()
    ui.load(first_frame(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    first = ui.tab
    ui.start_over(nodes_2=ui.has_nodes_2)
    ui.load(first_frame("another text"))
    second = ui.tab
    service_log.hold_once_running()
    expect(ui.line("Queued").or_(ui.line("Generating"))).to_have_count(0)
    ui.open_tab(first)
    ui.expect_on(NODE, ui.line("Generating"))
    ui.open_tab(second)
    expect(ui.line("Generating")).to_have_count(0)
    ui.page.get_by_role("button", name="Cancel current run").click()
    assert ui.wait_for_end() == "execution_interrupted"
    expect(ui.line("Stopped")).to_have_count(0)
    ui.open_tab(first)
    ui.expect_on(NODE, ui.line("Stopped"))
    expect(ui.message("Seedance")).to_have_count(0)  # it is no failure


def test_a_closed_subgraph_shows_the_line_of_the_node_in_it(
    ui: Ui, service_log: ServiceLog, token: str, prompt: str
) -> None:
    """ComfyUI itself shows nothing there, for as long as a video takes."""
    service_log.service.hold()
    ui.load(first_frame(prompt))
    subgraph = ui.convert_to_subgraph(NODE)
    ui.run()
    ui.expect_on(subgraph, ui.line("Queued"))
    service_log.service.release()
    assert ui.wait_for_end() == "execution_success"
    ui.settle()
    ui.expect_on(subgraph, ui.line("Done in"))


@in_both
def test_a_failure_is_told_in_full_and_leads_on(ui: Ui, service_log: ServiceLog, token_file: Path, prompt: str) -> None:
    save_token(token_file, TOKEN)
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    expect(players(ui)).to_have_count(1)
    token_file.unlink()
    ui.type_prompt("another text")
    expect_run(ui, "execution_error")
    text = ui.lines()[-1]
    assert text.startswith("No RunComfy token is set.")
    assert "Settings > Seedance" in text
    ui.expect_on(NODE, ui.line(text))
    ui.page.wait_for_function(SHOWN_WHOLE, arg=ui.line(text).element_handle())
    expect(players(ui)).to_have_count(0)  # none of the run before
    ui.page.keyboard.press("Escape")  # older UIs open a dialog over the page
    message = ui.message(text)
    expect(message).to_have_count(1)
    message.get_by_role("button", name="Open Settings").click()
    expect(ui.page.get_by_role("textbox", name="RunComfy API token")).to_be_visible()
    ui.page.keyboard.press("Escape")
    ui.page.get_by_role("button", name="Open help").locator("visible=true").first.click()
    expect(ui.page.get_by_role("heading", name="Seedance Text to Video", level=1)).to_be_visible()
    save_token(token_file, "not-the-account's")
    ui.run()
    expect(ui.message("did not accept the token")).to_be_visible()
    expect(message).to_have_count(0)  # the next one has taken its place
    assert len(service_log.submissions) == 1


@in_both
def test_what_is_refused_before_the_run_is_said_once(ui: Ui, token: str) -> None:
    ui.load(first_frame("to be replaced"))
    ui.type_prompt(" ")
    ui.run()
    expect(ui.message("The text is empty.")).to_be_visible()
    ui.page.keyboard.press("Escape")
    ui.expect_on(NODE, ui.line("The text is empty. Write what the video should show."))


@in_both
def test_all_videos_of_a_list_are_shown_and_can_be_hidden(ui: Ui, token: str, prompt: str) -> None:
    ui.load(first_frame(prompt, count=2))
    expect_run(ui, "execution_success")
    ui.expect_on(NODE, ui.line("2 videos: 2 done"))
    expect(players(ui)).to_have_count(2)
    assert players(ui).first.evaluate("(video) => [video.muted, video.loop]") == [True, True]
    players(ui).last.hover()
    press(ui, "Hide video")
    expect(players(ui)).to_have_count(0)
    press(ui, "Show video")
    press(ui, "Unmute video")
    assert players(ui).last.evaluate("(video) => video.muted") is False
    if not ui.page.evaluate(MENU_IS_THE_UIS_OWN):
        place = ui.place_of(NODE)
        ui.page.mouse.click(place["x"] + place["width"] / 2, place["y"] - 8, button="right")  # on the title
        ui.page.get_by_text("Hide video", exact=True).locator("visible=true").first.click()
        expect(players(ui)).to_have_count(0)


@in_both
def test_the_loaders_player_shows_the_frames_that_are_chosen(ui: Ui, token: str, prompt: str) -> None:
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    made = players(ui).evaluate("(video) => new URL(video.src).searchParams.get('filename')")
    ui.start_over(nodes_2=ui.has_nodes_2)
    ui.add_node(LOADER)
    # It has the new video, though nobody has asked for the list since.
    ui.page.wait_for_function(NEWEST_IS, arg=f"seedance/{made} [output]")
    expect(players(ui)).to_have_count(1)
    ui.choose(LOADER, "video", f"{made} [output]")  # as the picker of Nodes 2.0 does
    ui.expect_on(LOADER, ui.line("49 frames at 24 fps, 864x480"))
    player = players(ui)
    ui.choose(LOADER, "skip_first_frames", 24)
    ui.choose(LOADER, "frame_load_cap", 4)
    shown = ui.page.evaluate(FRAMES_SHOWN, [player.element_handle(), 1])
    assert 24 in shown
    assert set(shown) <= set(range(24, 40)), shown  # of 49; a busy player goes back some frames late
    ui.choose(LOADER, "select_every_nth", 6)
    shown = ui.page.evaluate(FRAMES_SHOWN, [player.element_handle(), 2])
    assert len(shown) > 1
    assert set(shown) <= {24, 30, 36, 42}, shown


def test_the_picker_of_nodes_2_shows_what_is_in_the_videos(ui: Ui, token: str, prompt: str) -> None:
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    ui.start_over(nodes_2=True)
    ui.add_node(LOADER)
    ui.page.locator("[data-node-id] button", has_text=".mp4").first.click()
    thumbnail = ui.page.locator("video:not(.seedance-view *)").locator("visible=true").first
    expect(thumbnail).to_be_visible()
    ui.page.wait_for_function("(video) => video.videoWidth", arg=thumbnail.element_handle())


def first_frame(prompt: Any, **options: Any) -> ApiGraph:
    """A live generation whose first frame is shown, which is what makes it run."""
    # With the count, which the UI else remembers of another graph's node with the same id.
    graph = generation(prompt, **({"count": 1} | options))
    del graph["probe"]
    return graph | {
        "first": node("ImageFromBatch", image=output("images"), batch_index=0, length=1),
        "preview": node("PreviewImage", images=["first", 0]),
    }


def players(ui: Ui) -> Locator:
    return ui.page.locator("video[src*='subfolder=seedance']").locator("visible=true")


def press(ui: Ui, button: str) -> None:
    """Presses a button on a video, or in its place."""
    ui.page.get_by_role("button", name=button, exact=True).locator("visible=true").last.click()


def expect_run(ui: Ui, ending: str) -> None:
    ui.run()
    assert ui.wait_for_end() == ending
    ui.settle()


def expect_line_above_player(ui: Ui) -> None:
    """Both are on the node, at their place, and what they are on is the last widget there is."""
    line, player = ui.line("Done in"), players(ui)
    ui.expect_on(NODE, line)
    ui.expect_on(NODE, player)
    expect(player).to_have_count(1)
    above, below = line.bounding_box(), player.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    assert ui.page.evaluate(LAST_WIDGET) == "seedance-view"
