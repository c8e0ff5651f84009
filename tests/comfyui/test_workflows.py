"""The example workflows: the very files that users open, run as the UI would run them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.comfyui.conftest import PACK, Comfy, succeeded
from tests.comfyui.graphs import ApiGraph, read_workflow, to_api_graph
from tests.comfyui.seedance_graphs import DURATION, FRAMES, HEIGHT, WIDTH
from tests.support.clips import frames_of

FOLDER = PACK / "example_workflows"
FRAMES_BY_DEFAULT = 121  # of 5 s
STILL = 36  # the frame that four seeds shows of each
CUT_FROM, CUT = 24, 48  # frames left out, and taken
FEW = 10  # frames, where more would only take longer

Frame = NDArray[np.uint8]


def test_templates_that_make_one_video_save_it(newcomer: Comfy) -> None:
    table = [
        ("First video (rehearsal)", None, 1),  # as it is
        ("Text to video", DURATION, 1),
        ("Text to video (app)", DURATION, 1),
        ("Upscale 2x", DURATION, 2),
    ]
    for name, seconds, factor in table:
        graph = example(name, newcomer)
        (file,) = made(newcomer, shortened(graph, seconds) if seconds else graph)["SaveVideo"]
        frames = FRAMES if seconds else FRAMES_BY_DEFAULT
        assert facts(file) == (frames, factor * WIDTH, factor * HEIGHT), name


def test_four_seeds_saves_four_videos_and_shows_a_frame_of_each(newcomer: Comfy) -> None:
    files = made(newcomer, shortened(example("Four seeds side by side", newcomer)))
    videos, stills = files["SaveVideo"], [picture(file) for file in files["PreviewImage"]]
    assert [facts(file) for file in videos] == [(FRAMES, WIDTH, HEIGHT)] * 4
    assert [closest(still, file) for still, file in zip(stills, videos, strict=True)] == [STILL] * 4
    assert all(difference(one, other) > 1 for one, other in combinations(stills, 2)), "each seed has its own look"


def test_an_existing_video_is_cut_and_upscaled_and_so_are_some_of_its_frames_by_image_nodes(newcomer: Comfy) -> None:
    (source,) = made(newcomer, shortened(example("Text to video", newcomer), seconds=3))["SeedanceTextToVideo"]
    (cut,) = made(newcomer, choosing(source, example("Load and cut a clip", newcomer)))["SaveVideo"]
    assert facts(cut) == (CUT, WIDTH, HEIGHT)
    assert closest(frames_of(cut)[0], source) == CUT_FROM
    (file,) = made(newcomer, choosing(cut, example("Upscale an existing video 2x", newcomer)))["SaveVideo"]
    assert facts(file) == (CUT, 2 * WIDTH, 2 * HEIGHT)
    graph = choosing(source, example("Upscale with image nodes", newcomer), frame_load_cap=FEW)
    (file,) = made(newcomer, graph)["SaveVideo"]
    assert facts(file) == (FEW, 2 * WIDTH, 2 * HEIGHT)


def test_last_frame_saves_the_very_last(newcomer: Comfy) -> None:
    files = made(newcomer, shortened(example("Last frame for the next shot", newcomer)))
    (still,), (video,) = files["SaveImage"], files["SeedanceTextToVideo"]
    assert closest(picture(still), video) == FRAMES - 1


def example(name: str, comfy: Comfy) -> ApiGraph:
    return to_api_graph(read_workflow(FOLDER / f"Seedance - {name}.json"), comfy.client.object_info())


def shortened(graph: ApiGraph, seconds: int = DURATION) -> ApiGraph:
    """The same graph with a shorter video, which is what the tests change."""
    (options,) = (node for node in graph.values() if node["class_type"] == "SeedanceOptions")
    options["inputs"]["duration"] = seconds
    return graph


def choosing(video: Path, graph: ApiGraph, **changes: int) -> ApiGraph:
    """The same graph after the user has chosen a video that was made before."""
    (load,) = (node for node in graph.values() if node["class_type"] == "LoadSeedanceVideo")
    output = next(folder for folder in video.parents if folder.name == "output")
    load["inputs"] |= {"video": f"{video.relative_to(output).as_posix()} [output]", **changes}
    return graph


def made(newcomer: Comfy, graph: ApiGraph) -> dict[str, list[Path]]:
    """Runs a graph, which costs nothing: the files that its nodes have saved or show, by the nodes' types."""
    run = succeeded(newcomer.run(graph))
    assert newcomer.calls == {}, "an example reached the paid service"
    shown = [node_id for node_id, output in run.outputs.items() if "images" in output]
    return {graph[node_id]["class_type"]: newcomer.files(run, node_id) for node_id in shown}


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
