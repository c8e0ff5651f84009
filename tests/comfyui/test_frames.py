"""What comes out of Seedance Text to Video, and what other nodes make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from tests.comfyui.conftest import Comfy, clips, lines, succeeded
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import DURATION, FRAMES, HEIGHT, VIDEO, WIDTH, generation, node, output
from tools.comfyui_client import Client, Run


@pytest.fixture(scope="module")
def graph() -> ApiGraph:
    """One generation with everything behind it that the tests of this file look at."""
    return generation("A red kite over dunes, of the tests of frames") | {
        "save": node("SaveVideo", video=output("video"), filename_prefix="kept", format="auto", codec="auto"),
        "components": node("GetVideoComponents", video=output("video")),
        "difference": node("ProbeDifference", one=output("images"), other=["components", 0]),
    }


@pytest.fixture(scope="module")
def run(client: Client, graph: ApiGraph) -> Run:
    return succeeded(client.run(graph))


@pytest.fixture(scope="module")
def seen(run: Run) -> dict[str, Any]:
    return clips(run)[0]


@pytest.fixture(scope="module")
def file(seen: dict[str, Any]) -> Path:
    return Path(seen["scalars"]["video_path"])


def test_images_equal_those_that_comfyui_decodes_from_the_video(run: Run) -> None:
    (found,) = run.outputs["difference"]["probe"]
    assert found["shapes"] == [[FRAMES, HEIGHT, WIDTH, 3]] * 2
    assert found["mean"] <= 2
    # Newer cores convert to floating point by another way of spreading 4:2:0 colour over the pixels of an edge.
    assert found["levels"] <= 2 or not found["whole_levels"]


def test_outputs_are_of_the_types_that_other_nodes_take_and_describe_the_file(
    comfy: Comfy, seen: dict[str, Any], file: Path
) -> None:
    assert (seen["dtype"], seen["device"], seen["contiguous"]) == ("torch.float32", "cpu", True)
    assert 0 <= seen["lowest"] < seen["highest"] <= 1
    assert seen["highest"] > 0.5, "a picture, not all black"
    assert len(set(map(tuple, seen["levels"]))) > FRAMES // 2, "the picture should move"
    scalars = seen["scalars"]
    assert (scalars["fps"], scalars["frame_count"]) == (24.0, FRAMES)
    assert seen["types"] == {"fps": "float", "frame_count": "int", "request_id": "str", "video_path": "str"}
    assert file.parent == comfy.base / "output" / "seedance"
    assert file.name.endswith(f"-s1-{scalars['request_id']}.mp4")
    assert seen["video_size"] == [WIDTH, HEIGHT]
    assert {each.suffix for each in file.parent.iterdir() if each.is_file()} == {".mp4"}, "no half-fetched file is left"


def test_the_saved_video_has_its_stream_and_both_files_the_graph(
    comfy: Comfy, run: Run, file: Path, graph: ApiGraph
) -> None:
    """So that each, dropped into ComfyUI, brings it back."""
    (saved,) = comfy.files(run, "save")
    assert packets(saved) == packets(file)
    for each in (file, saved):
        with av.open(str(each)) as container:
            assert json.loads(container.metadata["prompt"]).keys() == graph.keys(), each


def test_the_node_shows_the_video_the_price_and_what_it_cost(run: Run, file: Path) -> None:
    assert run.outputs[VIDEO]["images"] == [{"filename": file.name, "subfolder": "seedance", "type": "output"}]
    assert run.outputs[VIDEO]["animated"] == [True]
    shown = lines(run)
    phases = [event.data["phase"] for event in run.events if event.name == "seedance.event"]
    assert (phases[0], *phases[-2:]) == ("submitting", "decoding", "done"), phases
    waiting = [line for line in shown if line.startswith(("Queued, ", "Generating, "))]
    assert any(line.endswith("$0.02 per second") for line in waiting), shown
    assert shown[-1].endswith(f", {FRAMES} frames 864x480 at 24 fps, ${0.02 * DURATION:.2f}")


def packets(file: Path) -> list[bytes]:
    """The compressed frames, byte for byte."""
    with av.open(str(file)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
