"""Several videos: side by side, in order, summed up in one line, and one that fails sinks no other."""

from __future__ import annotations

from functools import partial
from typing import Any

from nodes.texts import Text
from tests.comfyui.conftest import Comfy, clips, happens, lines, request_ids, says, succeeded
from tests.comfyui.seedance_graphs import DURATION, FRAMES, PROBE, VIDEO, changed, generation, node, output
from tests.support.clips import frames_of
from tools.comfyui_client import Status

COST = 0.02 * DURATION


def in_english(lines: list[list[Any]]) -> str:
    """What the browser makes of the lines that it is sent, in the language of the log."""

    def worded(text: Any) -> Any:
        if not isinstance(text, dict):
            return text
        return Text(text["key"], **{name: worded(value) for name, value in text["values"].items()})

    return "\n".join(" ".join(map(worded, line)) for line in lines)


def test_count_makes_one_video_a_seed_and_the_line_sums_them_up(comfy: Comfy, prompt: str) -> None:
    comfy.service.hold()
    queued = says("3 videos: 3 queued, "), comfy.hold_once_running
    generating = says("3 videos: 3 generating, "), comfy.service.release
    run = comfy.run(generation(prompt, count=3, seed=7), queued, generating)
    seeds = {each.request_id: each.input["seed"] for each in comfy.submissions}
    assert [seeds[request_id] for request_id in request_ids(run)] == [7, 8, 9]
    assert len(run.outputs[VIDEO]["images"]) == 3, "each plays on the node"
    shown = lines(run)
    assert shown[-1] == f"3 videos: 3 done, ${3 * COST:.2f}"
    assert len(set(shown)) == len(shown), "nothing is sent twice"
    said = [event.data for event in run.events if event.name == "seedance.event"]
    assert [in_english(each["lines"]) for each in said] == shown, "for the browser, to be worded in any language"
    assert {(each["prompt_id"], each["node"], each["settings"]) for each in said} == {(run.prompt_id, VIDEO, False)}


def test_a_failed_video_is_skipped_and_tried_again_by_the_next_run(comfy: Comfy, prompt: str) -> None:
    comfy.service.fail_next("a sensitive word")
    graph = changed(generation(prompt, count=3), on_failure="skip")
    for arrived, bought in ((2, 3), (3, 4), (3, 4)):
        run = comfy.run(graph)
        assert (len(clips(run)), len(comfy.submissions)) == (arrived, bought)
        if arrived == 2:
            summary, reason = lines(run)[-1].splitlines()
            assert summary == f"3 videos: 2 done, 1 failed, ${2 * COST:.2f}"
            assert "a sensitive word" in reason
            assert "Usage page shows whether" in reason
    assert "executed" not in [event.name for event in run.events if event.data.get("node") == VIDEO], "cached"
    graph = generation(["texts", 0]) | {"texts": node("ProbeTexts", lines=f"{prompt}, one\n\n{prompt}, three")}
    run = comfy.run(changed(graph, on_failure="skip"))
    assert (len(clips(run)), len(comfy.submissions)) == (2, 6), "one cannot even be sent"
    assert "[2] The text is empty." in lines(run)[-1]


def test_without_skip_a_failure_ends_the_run(comfy: Comfy, prompt: str) -> None:
    comfy.service.fail_next("a sensitive word")
    assert "a sensitive word" in comfy.failure(generation(prompt, count=3))
    assert not any(each.cancelled for each in comfy.submissions), "the others are paid for"
    succeeded(comfy.run(generation(prompt, count=3)))
    assert len(comfy.submissions) == 4, "only the failed one is bought again"


def test_stop_cancels_the_whole_list_and_says_so_in_one_summary(comfy: Comfy, prompt: str) -> None:
    comfy.service.hold()
    stop = says("5 videos: 5 queued"), comfy.client.interrupt
    run = comfy.run(generation(prompt, count=5), stop)
    assert run.status is Status.INTERRUPTED
    assert [each.cancelled for each in comfy.submissions] == [True] * 5
    assert "Seedance: 5 videos: 5 stopped\n5 cancelled, nothing charged" in comfy.server.log


def test_frames_are_decoded_when_something_takes_them(comfy: Comfy, prompt: str) -> None:
    save = node("SaveVideo", video=output("video"), filename_prefix="saved", format="auto", codec="auto")
    probed = generation(prompt) | {"save": save}
    saving = {name: node for name, node in probed.items() if name != PROBE}
    run = succeeded(comfy.run(saving))
    assert not any(line.startswith("Decoding") for line in lines(run))
    assert f", {FRAMES} frames 864x480 at 24 fps" in lines(run)[-1], "as the file says"
    (saved,) = comfy.files(run, "save")
    assert len(frames_of(saved)) == FRAMES
    # ComfyUI has the outputs of that run in its cache, without the frames; their number is counted by decoding.
    assert clips(comfy.run(probed))[0]["shape"] == [FRAMES, 480, 864, 3]
    assert len(comfy.submissions) == 1
    saving[VIDEO]["inputs"]["text"] = f"{prompt}, counted"
    run = comfy.run(saving | {"count": node("PreviewAny", source=output("frame_count"))})
    assert any(line.startswith("Decoding") for line in lines(run))


def test_other_nodes_run_while_a_job_waits_and_a_list_runs_side_by_side_and_keeps_its_order(
    comfy: Comfy, prompt: str
) -> None:
    """Jobs that waited for one another would wait for ever."""
    texts = [f"{prompt}, {word}" for word in ("one", "two", "three")]
    graph = generation(["texts", 0]) | {
        "texts": node("ProbeTexts", lines="\n".join(texts)),
        "picture": node("EmptyImage", width=64, height=32, batch_size=1, color=0),
        "gate": node("ProbeGate", image=["picture", 0], gate=prompt),
        "other": node("ProbeClip", images=["gate", 0]),
    }
    comfy.service.hold()
    all_wait = says("3 videos: 3 queued"), partial(comfy.open_gate, prompt)
    other_ran = happens("executed", "other"), comfy.service.release
    run = succeeded(comfy.run(graph, all_wait, other_ran))
    by_id = {each.request_id: each.input["text"] for each in comfy.submissions}
    assert [by_id[request_id] for request_id in request_ids(run)] == texts


def test_the_browser_hears_of_a_video_that_is_left_out_but_not_of_a_failed_run(newcomer: Comfy, prompt: str) -> None:
    """So that it can say so without calling the run failed; ComfyUI itself says the other."""
    graph = generation(prompt, count=2)
    for on_failure, status, items in (("skip", Status.SUCCESS, [0, 1]), ("stop", Status.ERROR, [])):
        run = newcomer.run(changed(graph, on_failure=on_failure))
        assert run.status is status
        heard = [event.data for event in run.events if event.name == "seedance.left_out"]
        assert [(each["node"], each["item"]) for each in heard] == [(VIDEO, item) for item in items]
        assert all(each["settings"] and "Settings > Seedance" in in_english(each["lines"]) for each in heard)
