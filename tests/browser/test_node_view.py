"""What a node says and shows, in the classic canvas and in Nodes 2.0: whatever is typed, run again, loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.conftest import TOKEN, save_token
from tests.browser.ui import Ui
from tests.comfyui.conftest import ServiceLog
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import generation, node, output

NODE = "SeedanceTextToVideo"
LOADER = "LoadSeedanceVideo"
LAST_WIDGET = f"() => app.graph.nodes.find((node) => node.type === '{NODE}').widgets.at(-1).name"
CHOICES = f"""() => app.graph.nodes.find((node) => node.type === "{LOADER}").widgets[0].options.values"""
# Nodes 2.0 of the oldest UI that is supported asks no extension what to put into a node's menu.
MENU_IS_THE_UIS_OWN = "() => LiteGraph.vueNodesMode && window.__COMFYUI_FRONTEND_VERSION__.startsWith('1.32.')"
FRAMES_SHOWN = """async (video) => {
    const shown = new Set()
    await new Promise((done) => setTimeout(done, 500)) // it begins somewhere
    for (let count = 0; count < 60; count++) {
        if (!video.seeking) shown.add(Math.floor(video.currentTime * 24 + 0.01))
        await new Promise((done) => setTimeout(done, 25))
    }
    return [...shown].sort((a, b) => a - b)
}"""


def players(ui: Ui) -> Locator:
    return ui.page.locator("video[src*='subfolder=seedance']").locator("visible=true")


def test_a_second_run_executes_nothing_and_a_reload_forgets_nothing(both: Ui, token: str, prompt: str) -> None:
    ui = both
    ui.load(first_frame("to be replaced"))
    ui.type_prompt(prompt)
    expect_run(ui, "execution_success")
    expect_line_above_player(ui)
    for _ in range(2):
        expect_run(ui, "execution_success")
        first, *_, last = ui.posts()
        assert last == first
        assert ui.executed() == []
        expect_line_above_player(ui)
    ui.reload()
    expect_line_above_player(ui)
    expect_run(ui, "execution_success")
    assert ui.posts() == [first]
    expect_line_above_player(ui)


def test_a_line_stays_with_its_tab(both: Ui, service_log: ServiceLog, token: str, prompt: str) -> None:
    """Also if the other tab has a node with the same id."""
    ui = both
    service_log.service.hold()
    ui.load(first_frame(prompt))
    ui.run()
    ui.expect_on(NODE, ui.line("Queued"))
    first = ui.tab
    ui.start_over()
    ui.load(first_frame("another text"))
    second = ui.tab
    service_log.hold_once_running()
    expect(ui.line("Queued").or_(ui.line("Generating"))).to_have_count(0)
    ui.open_tab(first)
    ui.expect_on(NODE, ui.line("Generating"))
    ui.open_tab(second)
    expect(ui.line("Generating")).to_have_count(0)
    ui.stop()
    assert ui.wait_for_end() == "execution_interrupted"
    expect(ui.line("Stopped")).to_have_count(0)
    ui.open_tab(first)
    ui.expect_on(NODE, ui.line("Stopped"))


def test_a_failure_leads_on_and_leaves_no_video_of_before(both: Ui, token_file: Path, prompt: str) -> None:
    ui = both
    save_token(token_file, TOKEN)
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    expect(players(ui)).to_have_count(1)
    token_file.unlink()
    ui.type_prompt("another text")
    expect_run(ui, "execution_error")
    ui.expect_on(NODE, ui.line("No RunComfy token is set."))
    expect(players(ui)).to_have_count(0)
    ui.page.keyboard.press("Escape")  # older UIs open a dialog over the page
    message = ui.message("No RunComfy token is set.")
    expect(message).to_have_count(1)
    message.get_by_role("button", name="Open Settings").click()
    expect(ui.page.get_by_role("textbox", name="RunComfy API token")).to_be_visible()
    ui.page.keyboard.press("Escape")
    ui.page.get_by_role("button", name="Open help").locator("visible=true").first.click()
    expect(ui.page.get_by_role("heading", name="Seedance Text to Video", level=1)).to_be_visible()


def test_what_is_refused_before_the_run_is_said_once(both: Ui, token: str) -> None:
    ui = both
    ui.load(first_frame("to be replaced"))
    ui.type_prompt(" ")
    ui.run()
    expect(ui.message("The text is empty.")).to_be_visible()
    ui.page.keyboard.press("Escape")
    ui.expect_on(NODE, ui.line("The text is empty. Write what the video should show."))


def test_all_videos_of_a_list_are_shown(both: Ui, token: str, prompt: str) -> None:
    ui = both
    ui.load(first_frame(prompt, count=4))
    expect_run(ui, "execution_success")
    ui.expect_on(NODE, ui.line("4 videos: 4 done"))
    expect(players(ui)).to_have_count(4)


def test_a_video_can_be_hidden_and_shown_by_the_menu(both: Ui, token: str, prompt: str) -> None:
    ui = both
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    assert players(ui).evaluate("(video) => [video.muted, video.loop]") == [True, True]
    if ui.page.evaluate(MENU_IS_THE_UIS_OWN):
        return
    ui.pick_from_menu(NODE, "Hide video")
    expect(players(ui)).to_have_count(0)
    ui.pick_from_menu(NODE, "Show video")
    ui.pick_from_menu(NODE, "Unmute video")
    assert players(ui).evaluate("(video) => video.muted") is False


def test_the_loaders_player_shows_the_frames_that_are_chosen(both: Ui, token: str, prompt: str) -> None:
    ui = both
    ui.load(first_frame(prompt))
    expect_run(ui, "execution_success")
    made = players(ui).evaluate("(video) => new URL(video.src).searchParams.get('filename')")
    ui.start_over()
    ui.add_node(LOADER)
    # It has the new video, though nobody has asked for the list since.
    assert ui.page.evaluate(CHOICES)[0] == f"seedance/{made} [output]"
    ui.choose(LOADER, "video", f"{made} [output]")  # as the picker of Nodes 2.0 does
    ui.expect_on(LOADER, ui.line("49 frames at 24 fps, 864x480"))
    player = players(ui)
    expect(player).to_have_count(1)
    ui.choose(LOADER, "skip_first_frames", 24)
    ui.choose(LOADER, "frame_load_cap", 4)
    shown = player.evaluate(FRAMES_SHOWN)
    assert 24 in shown
    assert set(shown) <= set(range(24, 40)), shown  # of 49; a busy player goes back some frames late
    ui.choose(LOADER, "select_every_nth", 6)
    shown = player.evaluate(FRAMES_SHOWN)
    assert len(shown) > 1
    assert set(shown) <= {24, 30, 36, 42}, shown


def first_frame(prompt: Any, **options: Any) -> ApiGraph:
    """A live generation whose first frame is shown, which is what makes it run."""
    # With the count, which the UI else remembers of another graph's node with the same id.
    graph = generation(prompt, **({"count": 1} | options))
    del graph["probe"]
    return graph | {
        "first": node("ImageFromBatch", image=output("images"), batch_index=0, length=1),
        "preview": node("PreviewImage", images=["first", 0]),
    }


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
