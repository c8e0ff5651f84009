"""The example workflows: the very files that users open, run as the UI would run them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.comfyui.conftest import PACK, ServiceLog, files, succeeded
from tests.comfyui.graphs import ApiGraph, read_workflow, to_api_graph
from tests.comfyui.seedance_graphs import DURATION, FRAMES, HEIGHT, WIDTH
from tests.support.clips import frames_of
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Run

FOLDER = PACK / "example_workflows"
FRAMES_BY_DEFAULT = 121  # of 5 s
STILL = 36  # the frame that four seeds shows of each
CUT_FROM, CUT = 24, 48  # frames left out, and taken
FEW = 10  # frames, where more would only take longer

Frame = NDArray[np.uint8]
RunExample = Callable[[ApiGraph], Run]


@pytest.fixture
def run(client_without_token: Client, service_log: ServiceLog) -> RunExample:
    """Runs a graph as a newcomer has it, without a token, and sees that it cost nothing."""

    def run(graph: ApiGraph) -> Run:
        finished = succeeded(client_without_token.run(graph))
        assert service_log.calls == {}, "an example reached the paid service"
        return finished

    return run


@pytest.fixture(scope="module")
def object_info(client: Client) -> dict[str, Any]:
    return client.object_info()


@pytest.fixture(scope="module")
def source(client: Client, server: ComfyUI, object_info: dict[str, Any]) -> Path:
    """A video of three seconds that a user made before."""
    graph = shortened(api_graph("Text to video", object_info), seconds=3)
    (file,) = saved(succeeded(client.run(graph)), graph, server, by="SeedanceTextToVideo")
    return file


def test_templates_that_make_one_video_save_it(run: RunExample, server: ComfyUI, object_info: dict[str, Any]) -> None:
    table = [
        ("First video (rehearsal)", None, 1),  # as it is
        ("Text to video", DURATION, 1),
        ("Text to video (app)", DURATION, 1),
        ("Upscale 2x", DURATION, 2),
    ]
    for name, seconds, factor in table:
        graph = api_graph(name, object_info)
        (file,) = saved(run(graph if seconds is None else shortened(graph, seconds)), graph, server)
        frames = FRAMES_BY_DEFAULT if seconds is None else FRAMES
        assert facts(file) == (frames, factor * WIDTH, factor * HEIGHT), name


def test_four_seeds_saves_four_videos_and_shows_a_frame_of_each(
    run: RunExample, server: ComfyUI, object_info: dict[str, Any]
) -> None:
    graph = shortened(api_graph("Four seeds side by side", object_info))
    finished = run(graph)
    videos = saved(finished, graph, server)
    assert [facts(file) for file in videos] == [(FRAMES, WIDTH, HEIGHT)] * 4
    stills = [picture(file) for file in saved(finished, graph, server, by="PreviewImage")]
    assert len(stills) == 4
    assert all(closest(still, file) == STILL for still, file in zip(stills, videos, strict=True))
    assert all(difference(one, other) > 1 for one, other in combinations(stills, 2)), "each seed has its own look"


def test_an_existing_video_is_cut_and_upscaled_and_so_are_some_of_its_frames_by_image_nodes(
    run: RunExample, server: ComfyUI, object_info: dict[str, Any], source: Path
) -> None:
    graph = choosing(source, api_graph("Load and cut a clip", object_info))
    (cut,) = saved(run(graph), graph, server)
    assert facts(cut) == (CUT, WIDTH, HEIGHT)
    assert closest(frames_of(cut)[0], source) == CUT_FROM

    graph = choosing(cut, api_graph("Upscale an existing video 2x", object_info))
    (file,) = saved(run(graph), graph, server)
    assert facts(file) == (CUT, 2 * WIDTH, 2 * HEIGHT)

    graph = choosing(source, api_graph("Upscale with image nodes", object_info))
    (load,) = of_type(graph, "LoadSeedanceVideo")
    graph[load]["inputs"]["frame_load_cap"] = FEW
    (file,) = saved(run(graph), graph, server)
    assert facts(file) == (FEW, 2 * WIDTH, 2 * HEIGHT)


def test_last_frame_saves_the_very_last(run: RunExample, server: ComfyUI, object_info: dict[str, Any]) -> None:
    graph = shortened(api_graph("Last frame for the next shot", object_info))
    finished = run(graph)
    (file,) = saved(finished, graph, server, by="SaveImage")
    (video,) = saved(finished, graph, server, by="SeedanceTextToVideo")
    assert closest(picture(file), video) == FRAMES - 1


def api_graph(name: str, object_info: dict[str, Any]) -> ApiGraph:
    return to_api_graph(read_workflow(FOLDER / f"Seedance - {name}.json"), object_info)


def shortened(graph: ApiGraph, seconds: int = DURATION) -> ApiGraph:
    """The same graph with a shorter video, which is what the tests change."""
    (options,) = of_type(graph, "SeedanceOptions")
    graph[options]["inputs"]["duration"] = seconds
    return graph


def choosing(video: Path, graph: ApiGraph) -> ApiGraph:
    """The same graph after the user has chosen a video that was made before."""
    (load,) = of_type(graph, "LoadSeedanceVideo")
    output = next(folder for folder in video.parents if folder.name == "output")
    graph[load]["inputs"]["video"] = f"{video.relative_to(output).as_posix()} [output]"
    return graph


def of_type(graph: ApiGraph, class_type: str) -> list[str]:
    return [node_id for node_id, node in graph.items() if node["class_type"] == class_type]


def saved(run: Run, graph: ApiGraph, server: ComfyUI, *, by: str = "SaveVideo") -> list[Path]:
    """The files that the graph's one node of a type has saved or shows."""
    (node_id,) = of_type(graph, by)
    return files(run, server, node_id)


def facts(file: Path) -> tuple[int, int, int]:
    """Frames, width and height of a video."""
    count, height, width, _ = frames_of(file).shape
    return count, width, height


def picture(file: Path) -> Frame:
    """A PNG as RGB."""
    read = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    assert read is not None
    return np.asarray(read, dtype=np.uint8)


def closest(picture: Frame, video: Path) -> int:
    """The number of the frame that looks most like a picture."""
    return int(np.argmin([difference(picture, frame) for frame in frames_of(video)]))


def difference(one: Frame, other: Frame) -> float:
    """How far two pictures are apart, on average, of 255."""
    return float(cv2.absdiff(one, other).mean())
