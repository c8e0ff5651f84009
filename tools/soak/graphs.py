"""Random graphs around this pack's nodes, in ComfyUI's API format."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final

PROMPTS: Final = 40
"""Texts that come again and again, so that videos are found as often as they are bought."""
SEEDS: Final = 8
LONGEST_LIST: Final = 6

Inputs = dict[str, Any]
Graph = dict[str, Inputs]


@dataclass(frozen=True)
class RandomGraph:
    """One graph."""

    kind: str
    graph: Graph


class RandomGraphs:
    """Graphs by chance; the same ones for the same seed and the same jobs so far."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._fresh = 0

    def next(self, jobs: list[str]) -> RandomGraph:
        """Another graph.

        Args:
            jobs: request ids that LoadSeedanceVideo may be given.
        """
        kinds = {"single": 4, "anew": 2, "options list": 3, "text list": 3, "side by side": 2, "load": 3 if jobs else 0}
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        return RandomGraph(kind, self._graph(kind, jobs))

    def _graph(self, kind: str, jobs: list[str]) -> Graph:
        if kind == "load":
            return _with_outputs({"video": load(self._random.choice(jobs))}, frames=True)
        if kind == "side by side":
            other = {"other": self._text_to_video(self._text()), "other id": _node("PreviewAny", source=["other", 4])}
            return self._generation(self._text(), count=1) | other
        if kind == "text list":
            texts = [self._text() for _ in range(self._random.randint(2, LONGEST_LIST))]
            lines = {"texts": _node("ProbeTexts", lines="\n".join(texts))}
            return self._generation(["texts", 0], count=1) | lines
        count = self._random.randint(2, LONGEST_LIST) if kind == "options list" else 1
        return self._generation(self._text(), count=count, reuse=kind != "anew")

    def _generation(self, text: str | list[Any], *, count: int, reuse: bool = True) -> Graph:
        if not reuse:
            # A text of its own, so that what is bought twice on purpose is not taken for a fault.
            self._fresh += 1
            text = f"Anew {self._fresh % PROMPTS}"
        seed = self._random.randrange(SEEDS)
        options = _node("SeedanceOptions", resolution="480p", ratio="16:9", duration=2, seed=seed, count=count)
        graph = {"options": options, "video": self._text_to_video(text, reuse=reuse)}
        return _with_outputs(graph, frames=self._random.random() < 0.5)

    def _text_to_video(self, text: str | list[Any], *, reuse: bool = True) -> Inputs:
        failing = self._random.choice(("stop", "skip"))
        return _node(
            "SeedanceTextToVideo", text=text, mode="live", reuse=reuse, options=["options", 0], on_failure=failing
        )

    def _text(self) -> str:
        return f"Prompt {self._random.randrange(PROMPTS)}"


def generation(text: str, seed: int, count: int) -> Graph:
    """A graph that brings so many videos, of which nothing is decoded."""
    options = _node("SeedanceOptions", resolution="480p", ratio="16:9", duration=2, seed=seed, count=count)
    video = _node("SeedanceTextToVideo", text=text, mode="live", reuse=True, options=["options", 0], on_failure="stop")
    return _with_outputs({"options": options, "video": video}, frames=False)


def load(source: str) -> Inputs:
    """A node that loads a job by its request id."""
    return _node("LoadSeedanceVideo", video="", source=source, skip_first_frames=0, frame_load_cap=8)


def collecting(job: str) -> Graph:
    """A graph that only brings a job's file."""
    return _with_outputs({"video": load(job)}, frames=False)


def _with_outputs(graph: Graph, *, frames: bool) -> Graph:
    graph = graph | {"id": _node("PreviewAny", source=["video", 4])}
    if frames:
        graph["first"] = _node("ImageFromBatch", image=["video", 0], batch_index=0, length=1)
        graph["picture"] = _node("PreviewImage", images=["first", 0])
    return graph


def _node(class_type: str, /, **inputs: Any) -> Inputs:
    return {"class_type": class_type, "inputs": inputs}
