"""Upscale Seedance Video in a real ComfyUI, beside ComfyUI's own chain for the same."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from tests.comfyui.conftest import Comfy, clips, happens, lines, says, started, succeeded
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import loading, node
from tests.support.clips import frames_of, make, sound_of, times_of
from tools.comfyui import CACHE, ComfyUI
from tools.comfyui_client import Client, Run, Status
from tools.comfyui_source import ensure
from tools.upscale_model import UPSCALER

Frames = NDArray[np.uint8]
"""[frames, height, width, 3], RGB."""
PICTURE: Final = "-f lavfi -i testsrc2=s=160x96:r=24:d=1,hue=s=0.6"
"""Not of colours that are at the edge of what there is: there, each decoder clips in its own way."""
BEEP: Final = "-f lavfi -i sine=d=1"
X264: Final = "-c:v libx264 -crf 10 -pix_fmt yuv420p"
SOURCES: Final = {
    "silent.mp4": f"{PICTURE} {X264}",
    "tagged.mp4": f"{PICTURE} -vf scale=out_color_matrix=bt709 -colorspace bt709 {X264}",
    "aac.mp4": f"{PICTURE} {BEEP} {X264} -c:a aac",
    "variable.mkv": f"{PICTURE} -vf select=lt(mod(n\\,12)\\,6) -fps_mode vfr {X264}",
    "turned.mp4": "-display_rotation 90 -i silent.mp4 -c copy",
    "odd.mp4": f"{PICTURE} -vf scale=161:97,format=yuv444p -c:v libx264 -crf 10",
}
"""What makes each, by ffmpeg. More kinds are in `tests/video/test_encode.py`."""
MOST_OFF: Final = 4.0
"""Of 255, of the mean colour of a sixteenth of the picture."""
LONG_NAME: Final = f"20261126-{'fox-trots-' * 4}-s2147483647-01234567-89ab-cdef-0123-456789abcdef"
"""As long as that of a job's file may be."""

pytestmark = pytest.mark.usefixtures("sources")


@pytest.fixture(scope="module")
def sources(server: ComfyUI) -> Path:
    """ComfyUI's input folder, with a file of each kind."""
    folder = server.base / "input"
    for name, arguments in SOURCES.items():
        make(folder, name, arguments)
    return folder


def upscaling(file: str, **inputs: Any) -> ApiGraph:
    """From a file to the upscaled one."""
    return {
        "load": node("LoadVideo", file=file),
        "model": node("UpscaleModelLoader", model_name=UPSCALER),
        "upscale": node("SeedanceUpscaleVideo", **({"video": ["load", 0], "upscale_model": ["model", 0]} | inputs)),
        "save": node("SaveVideo", video=["upscale", 0], filename_prefix="kept", format="auto", codec="auto"),
    }


def beside_core(graph: ApiGraph, video: list[Any]) -> ApiGraph:
    """The same, and core's own chain for the same."""
    return graph | {
        "parts": node("GetVideoComponents", video=video),
        "big": node("ImageUpscaleWithModel", upscale_model=["model", 0], image=["parts", 0]),
        "create": node("CreateVideo", images=["big", 0], fps=["parts", 2]),
        "core": node("SaveVideo", video=["create", 0], filename_prefix="core", format="auto", codec="auto"),
    }


def shown(run: Run, comfy: Comfy, by: str = "upscale") -> Path:
    (file,) = comfy.files(succeeded(run), by)
    return file


def upscaled(comfy: Comfy, file: str = "silent.mp4", **inputs: Any) -> Path:
    return shown(comfy.run(upscaling(file, **inputs)), comfy)


def off(frames: Frames, expected: Frames, parts: int = 4) -> float:
    """By how much the mean colour of a part of a frame differs at most, of 255; of ``parts`` in each direction."""
    means = []
    for each in (frames, expected):
        count, height, width, _ = each.shape
        cut = each[:, : height // parts * parts, : width // parts * parts].astype(np.float64)
        means.append(cut.reshape(count, parts, height // parts, parts, width // parts, 3).mean(axis=(2, 4)))
    return float(np.abs(means[0] - means[1]).max())


def unfinished(base: Path) -> list[str]:
    return [file.name for file in (base / "output" / "seedance").glob(".*")]


def test_every_kind_of_source_gives_what_cores_chain_gives_with_sound_and_times(comfy: Comfy, sources: Path) -> None:
    upright = np.empty(0, np.uint8)
    for name in SOURCES:
        finished = comfy.run(beside_core(upscaling(name), ["load", 0]))
        file, expected = shown(finished, comfy), frames_of(shown(finished, comfy, "core"))
        if name == "silent.mp4":
            upright = expected
        if name == "turned.mp4":  # a copy of it that only newer ComfyUIs turn
            expected = np.rot90(upright, 1, (1, 2))
        frames = frames_of(file)
        assert frames.shape == expected.shape, name
        assert off(frames, expected) <= MOST_OFF, name
        assert file.parent == comfy.base / "output" / "seedance", name
        assert file.name.startswith(f"{Path(name).stem}.{frames.shape[2]}x{frames.shape[1]}."), name
        times, before = times_of(file), times_of(sources / name)
        assert [time - times[0] for time in times] == pytest.approx([time - before[0] for time in before], abs=0.002)
        assert sound_of(file).codec == "aac" * (name == "aac.mp4"), name
        assert sound_of(file).seconds == pytest.approx(sound_of(sources / name).seconds, abs=0.1), name


def test_frames_in_memory_and_a_trimmed_video_give_what_cores_chain_gives_with_sound(comfy: Comfy) -> None:
    made = {
        "read": node("GetVideoComponents", video=["load", 0]),
        "other": node("CreateVideo", images=["read", 0], audio=["read", 1], fps=["read", 2]),
    }
    cut = {"other": node("Video Slice", video=["load", 0], start_time=0.25, duration=0.5, strict_duration=False)}
    can_trim = "Video Slice" in comfy.client.object_info()
    for nodes, count, length in ((made, 24, 1), (cut, 12, 0.5))[: 1 + can_trim]:
        graph = upscaling("aac.mp4", video=["other", 0]) | nodes
        finished = comfy.run(beside_core(graph, ["other", 0]))
        frames, expected = frames_of(shown(finished, comfy)), frames_of(shown(finished, comfy, "core"))
        assert len(frames) == len(expected) == count
        assert off(frames, expected) <= MOST_OFF
        sound = sound_of(shown(finished, comfy))
        assert sound.codec == "aac"
        assert sound.seconds == pytest.approx(length, abs=0.05)


def test_size_is_as_asked_and_even(comfy: Comfy) -> None:
    whole = frames_of(upscaled(comfy))
    for by, size in ((1.5, (240, 144)), (0.75, (120, 72)), (3.0, (480, 288)), (1.3, (208, 124))):
        frames = frames_of(upscaled(comfy, scale_by=by))
        assert frames[0].shape == (size[1], size[0], 3), by
        # Of whole frames: smaller ones of this picture are mostly edges, which each size blurs in its own way.
        assert off(frames, whole, parts=1) <= MOST_OFF, by


def test_the_finished_file_is_found_however_many_frames_are_upscaled_at_once(comfy: Comfy, sources: Path) -> None:
    name = f"{LONG_NAME}.mp4"
    shutil.copyfile(sources / "aac.mp4", sources / name)
    first = upscaled(comfy, name, crf=20)
    assert first.name.startswith(f"{LONG_NAME}.320x192."), "a job's file is found by the id in its name"
    made = first.stat().st_mtime_ns
    assert upscaled(comfy, name, crf=20, frames_at_once=3) == first
    assert first.stat().st_mtime_ns == made
    assert upscaled(comfy, name, crf=30) != first


def test_it_says_how_far_it_is(comfy: Comfy) -> None:
    finished = succeeded(comfy.run(upscaling("silent.mp4", crf=25, frames_at_once=5)))
    texts = lines(finished)
    assert texts[0] == "Upscaling 0 of 24 frames"
    assert any(text.startswith("Upscaling 20 of 24 frames, ") and text.endswith(" s left") for text in texts), texts
    assert re.fullmatch(r"Done( in \d+ s)?, 24 frames 320x192 at 24 fps", texts[-1]), texts[-1]
    states = [event.data["nodes"].get("upscale", {}) for event in finished.events if event.name == "progress_state"]
    values = [(state["value"], state["max"]) for state in states if state.get("max") == 24]
    assert values == sorted(values)
    assert (24, 24) in values


def test_stop_ends_it_within_a_part_and_leaves_nothing(comfy: Comfy) -> None:
    folder = comfy.base / "output" / "seedance"
    before = set(folder.glob("*"))
    stop = says("Upscaling 3 "), comfy.client.interrupt
    stopped = comfy.run(upscaling("silent.mp4", crf=26, frames_at_once=1), stop)
    assert stopped.status is Status.INTERRUPTED
    assert set(folder.glob("*")) == before
    upscaled(comfy, crf=26)


def test_what_cannot_be_a_full_disk_and_a_source_that_is_gone_are_named_and_nothing_is_left(
    comfy: Comfy, sources: Path
) -> None:
    graph = upscaling("silent.mp4", upscale_model=["other", 0]) | {"other": node("ProbeAnything", value=["load", 0])}
    assert "not a model for single images" in comfy.failure(graph)
    make(sources, "wide.mp4", "-f lavfi -i testsrc2=s=4096x32:d=0.1")
    assert "32768x256 is not a size" in comfy.failure(upscaling("wide.mp4", scale_by=8))
    process = psutil.Process(comfy.server.pid)
    limits = process.rlimit(psutil.RLIMIT_FSIZE)
    log = (comfy.base / "comfyui.log").stat().st_size
    process.rlimit(psutil.RLIMIT_FSIZE, (log + 100_000, limits[1]))
    try:
        assert "The video cannot be written" in comfy.failure(upscaling("silent.mp4", crf=0, scale_by=8))
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, limits)
    shutil.copyfile(sources / "silent.mp4", sources / "gone.mp4")
    graph = upscaling("gone.mp4", video=["gate", 0]) | {"gate": node("ProbeGate", image=["load", 0], gate="gone")}

    def remove_it() -> None:
        (sources / "gone.mp4").unlink()
        comfy.open_gate("gone")

    finished = comfy.run(graph, (happens("executing", "gate"), remove_it))
    assert "gone.mp4 is not there any more" in str(finished.error)
    assert unfinished(comfy.base) == []


def test_a_comfyui_of_another_type_that_is_killed_uses_that_type_and_cleans_up_when_it_is_started_again(
    comfy: Comfy, sources: Path, tmp_path: Path
) -> None:
    can_halve = "--fp16-intermediates" in (ensure(CACHE) / "comfy" / "cli_args.py").read_text(encoding="utf-8")
    with started(tmp_path, {}, *["--fp16-intermediates"] * can_halve) as server:
        shutil.copyfile(sources / "silent.mp4", server.base / "input" / "silent.mp4")
        with Client(server.url) as client:
            other = replace(comfy, server=server, client=client)
            finished = other.run(beside_core(upscaling("silent.mp4"), ["load", 0]))
            file = shown(finished, other)
            assert off(frames_of(file), frames_of(shown(finished, other, "core"))) <= MOST_OFF
            (clip,) = clips(other.run(loading(video="silent.mp4")))
            assert clip["dtype"] == ("torch.float16" if can_halve else "torch.float32")
            with pytest.raises(ConnectionError):
                other.run(upscaling("silent.mp4", crf=20, frames_at_once=1), (says("Upscaling 3 "), server.kill))
        assert len(unfinished(server.base)) == 1
        made = file.stat().st_mtime_ns
        server.start()
        with Client(server.url) as client:
            other = replace(other, client=client)
            assert upscaled(other) == file
            assert file.stat().st_mtime_ns == made, "what is finished is found again"
            cut_off = upscaled(other, crf=20, frames_at_once=1)
        assert {each.name for each in file.parent.iterdir()} == {file.name, cut_off.name}
