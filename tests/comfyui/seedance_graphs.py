"""Graphs in ComfyUI's API format around this pack's nodes, small enough to run in a second."""

from __future__ import annotations

from typing import Any

from tests.comfyui.graphs import ApiGraph

OPTIONS = "options"
VIDEO = "video"
PROBE = "probe"

OUTPUTS = ("images", "video", "fps", "frame_count", "request_id", "video_path")
"""The output sockets of both video nodes, in order."""

WIDTH, HEIGHT, DURATION = 864, 480, 2
FRAMES = DURATION * 24 + 1


def node(class_type: str, /, **inputs: Any) -> dict[str, Any]:
    """One node of a graph."""
    return {"class_type": class_type, "inputs": inputs}


def output(name: str, of: str = VIDEO) -> list[Any]:
    """A link from an output of a video node."""
    return [of, OUTPUTS.index(name)]


def options(**changes: Any) -> dict[str, Any]:
    """A SeedanceOptions node: the smallest video there is, but for `changes`."""
    small = {"resolution": "480p", "ratio": "16:9", "duration": DURATION, "seed": 1}
    return node("SeedanceOptions", **(small | changes))


def text_to_video(text: Any, *, mode: str = "live", **inputs: Any) -> dict[str, Any]:
    """A SeedanceTextToVideo node, with the graph's options."""
    return node(
        "SeedanceTextToVideo", **({"text": text, "mode": mode, "reuse": True, "options": [OPTIONS, 0]} | inputs)
    )


def probe(of: str = VIDEO) -> dict[str, Any]:
    """A node that reports all six outputs of a video node."""
    return node("ProbeClip", **{name: output(name, of) for name in OUTPUTS})


def generation(text: Any, *, mode: str = "live", **changed_options: Any) -> ApiGraph:
    """From a text to a probe of everything that comes out."""
    return {OPTIONS: options(**changed_options), VIDEO: text_to_video(text, mode=mode), PROBE: probe()}


def changed(graph: ApiGraph, of: str = VIDEO, /, **inputs: Any) -> ApiGraph:
    """The same with other inputs of a node."""
    return graph | {of: {**graph[of], "inputs": graph[of]["inputs"] | inputs}}


def beside_a_sampler(graph: ApiGraph, gate: str, seconds_a_step: float) -> ApiGraph:
    """A graph with a sampler in it that waits for nothing but a gate, keeps ComfyUI busy and takes Stop for itself."""
    return graph | {
        "picture": node("EmptyImage", width=64, height=64, batch_size=1, color=0),
        "gate": node("ProbeGate", image=["picture", 0], gate=gate),
        "sampler": node("ProbeSampler", image=["gate", 0], seconds_a_step=seconds_a_step),
        "sampled": node("ProbeClip", images=["sampler", 0]),
    }


def loading(**inputs: Any) -> ApiGraph:
    """From LoadSeedanceVideo to a probe of everything that comes out."""
    defaults = {"source": "", "skip_first_frames": 0, "frame_load_cap": 0, "select_every_nth": 1}
    return {VIDEO: node("LoadSeedanceVideo", **(defaults | inputs)), PROBE: probe()}
