"""Random graphs around this pack's nodes, in ComfyUI's API format."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import OPTIONS, VIDEO, node, options, output, text_to_video

from ..upscale_model import UPSCALER
from .ledger import ANEW

PROMPTS: Final = 40
"""Texts that come again and again, so that videos are found as often as they are bought."""
SEEDS: Final = 8
LONGEST_LIST: Final = 6


class RandomGraphs:
    """Graphs by chance; the same ones for the same seed and the same jobs so far."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._fresh = 0

    def next(self, jobs: list[str]) -> tuple[str, ApiGraph]:
        """Another graph, and what kind it is of.

        Args:
            jobs: request ids that LoadSeedanceVideo may be given.
        """
        kinds = {"single": 4, "anew": 2, "options list": 3, "text list": 3, "side by side": 2, "upscale": 2}
        kinds["load"] = 3 if jobs else 0
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        return kind, self._graph(kind, jobs)

    def _graph(self, kind: str, jobs: list[str]) -> ApiGraph:
        if kind == "load":
            return _with_outputs({VIDEO: load(self._random.choice(jobs))}, frames=True)
        if kind == "side by side":
            other = {
                "other": self._text_to_video(self._text()),
                "other id": node("PreviewAny", source=output("request_id", "other")),
            }
            return self._generation(self._text(), count=1) | other
        if kind == "upscale":
            return upscaling(self._generation(self._text(), count=1), crf=self._random.choice((24, 28)))
        if kind == "text list":
            texts = [self._text() for _ in range(self._random.randint(2, LONGEST_LIST))]
            lines = {"texts": node("ProbeTexts", lines="\n".join(texts))}
            return self._generation(["texts", 0], count=1) | lines
        count = self._random.randint(2, LONGEST_LIST) if kind == "options list" else 1
        return self._generation(self._text(), count=count, reuse=kind != "anew")

    def _generation(self, text: str | list[Any], *, count: int, reuse: bool = True) -> ApiGraph:
        if not reuse:
            # A text of its own, so that what is bought twice on purpose is not taken for a fault.
            self._fresh += 1
            text = f"{ANEW} {self._fresh % PROMPTS}"
        seed = self._random.randrange(SEEDS)
        graph = {OPTIONS: options(seed=seed, count=count), VIDEO: self._text_to_video(text, reuse=reuse)}
        return _with_outputs(graph, frames=self._random.random() < 0.5)

    def _text_to_video(self, text: str | list[Any], *, reuse: bool = True) -> dict[str, Any]:
        return text_to_video(text, reuse=reuse, on_failure=self._random.choice(("stop", "skip")))

    def _text(self) -> str:
        return f"Prompt {self._random.randrange(PROMPTS)}"


def generation(text: str, seed: int, count: int) -> ApiGraph:
    """A graph that brings so many videos, of which nothing is decoded."""
    graph = {OPTIONS: options(seed=seed, count=count), VIDEO: text_to_video(text, on_failure="stop")}
    return _with_outputs(graph, frames=False)


def upscaling(graph: ApiGraph, crf: int) -> ApiGraph:
    """The graph, and its video through an upscale model; small, so that it does not take long."""
    model = node("UpscaleModelLoader", model_name=UPSCALER)
    inputs = {"video": output("video"), "upscale_model": ["model", 0], "scale_by": 0.5, "crf": crf}
    upscale, path = node("SeedanceUpscaleVideo", **inputs), node("PreviewAny", source=["upscale", 1])
    return graph | {"model": model, "upscale": upscale, "upscaled": path}


def load(source: str) -> dict[str, Any]:
    """A node that loads a job by its request id."""
    return node("LoadSeedanceVideo", video="", source=source, skip_first_frames=0, frame_load_cap=8)


def collecting(job: str) -> ApiGraph:
    """A graph that only brings a job's file."""
    return _with_outputs({VIDEO: load(job)}, frames=False)


def _with_outputs(graph: ApiGraph, *, frames: bool) -> ApiGraph:
    graph = graph | {"id": node("PreviewAny", source=output("request_id"))}
    if frames:
        graph["first"] = node("ImageFromBatch", image=output("images"), batch_index=0, length=1)
        graph["picture"] = node("PreviewImage", images=["first", 0])
    return graph
