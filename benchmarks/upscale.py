"""A clip through an upscale model: this pack's node against ComfyUI's own chain, `python -m benchmarks.upscale`.

Each measurement has a ComfyUI of its own, and the chains go from a file to a file: Load Video, Get Video Components,
Upscale Image (using Model), Create Video, Save Video on the one hand; Load Video, this pack's node, Save Video on the
other. The model is the least that there can be, so that reading, moving and writing frames is what is measured.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Status
from tools.upscale_model import write_tiny_upscaler

from .clips import CLIPS, Clip
from .decode import CACHE
from .machine import describe
from .measure import ROOT
from .report import Verdict, publish, table

FACTORS: Final = (2, 4)
MOST: Final = 20e9
"""Bytes that a measurement may take; core's chain is not run where it would take more."""
CORES_COPIES: Final = 9.3 / 4
"""Bytes that core's chain takes, per byte of upscaled frames."""
SECONDS: Final = 3600.0
MOST_GROWTH: Final = {"480p": 1.2e9, "1080p": 2.5e9}
MOST_OF_CORE: Final = 0.90


@dataclass(frozen=True)
class Sample:
    """What one run took."""

    seconds: float
    growth: int
    """Bytes: the peak of ComfyUI's memory over what it had before."""
    cpu: float
    """Seconds of all threads: unlike ``seconds``, much the same on a machine that has other work."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and publish. Returns 0: a missed goal is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="480p, 5 s, 2x, one round; README.md stays as it is")
    parser.add_argument("--rounds", type=int, default=3, help="medians are over so many (default %(default)s)")
    parser.add_argument(
        "--only", default="", help="only clips and factors such as '480p, 5 s, 2x' that have this in it"
    )
    chosen = parser.parse_args(arguments)
    machine = describe()
    cases = [(clip, factor) for factor in FACTORS for clip in CLIPS if chosen.only in f"{clip}, {factor}x"]
    cases = cases[:1] if chosen.quick else cases
    rows, goals = [], []
    for clip, factor in cases:
        samples: dict[str, list[Sample]] = {"core": [], "node": []}
        for _ in range(1 if chosen.quick else chosen.rounds):
            for way, found in samples.items():
                if way == "node" or _cores_need(clip, factor) <= MOST:
                    print(f"{clip}, {factor}x, {way}", file=sys.stderr)
                    found.append(measure(way, clip, factor))
        row, missed = _row(clip, factor, samples["core"], samples["node"])
        rows.append(row)
        goals += missed
    head = ("clip", *(f"{way}, {unit}" for unit in ("GB", "s", "CPU s") for way in ("core", "node")), "of core's time")
    publish("upscale", machine, table(head, rows), goals=goals, quick=chosen.quick or bool(chosen.only))
    return 0


def measure(way: str, clip: Clip, factor: int) -> Sample:
    """Run a chain once in a new ComfyUI, after a clip of a second has made it load its libraries."""
    warm = Clip("96p", 160, 96, 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        write_tiny_upscaler(base / "models" / "upscale_models" / "tiny.safetensors", factor)
        (base / "input").mkdir()
        for each in (warm, clip):
            shutil.copyfile(each.ensure(CACHE), base / "input" / f"{each.resolution}.mp4")
        with ComfyUI(base, pack=ROOT) as server, Client(server.url) as client:
            process = Path("/proc") / str(server.pid)
            # Should memory run out, the system is to end this process and no other.
            (process / "oom_score_adj").write_text("1000")
            _run(client, way, f"{warm.resolution}.mp4")
            (process / "clear_refs").write_text("5")  # the peak is counted from now on
            before = _memory(process, "VmRSS")
            used, begun = _cpu(server.pid), time.perf_counter()
            _run(client, way, f"{clip.resolution}.mp4")
            seconds = time.perf_counter() - begun
            return Sample(seconds, _memory(process, "VmHWM") - before, _cpu(server.pid) - used)


def _run(client: Client, way: str, file: str) -> None:
    run = client.run(graph(way, file), timeout=SECONDS)
    if run.status is not Status.SUCCESS:
        raise RuntimeError(str(run.error))


def graph(way: str, file: str) -> dict[str, dict[str, Any]]:
    """From a file in ComfyUI's input folder to an upscaled one, by core's own nodes or with this pack's."""
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "load": ("LoadVideo", {"file": file}),
        "model": ("UpscaleModelLoader", {"model_name": "tiny.safetensors"}),
        "node": ("SeedanceUpscaleVideo", {"video": ["load", 0], "upscale_model": ["model", 0]}),
    }
    if way == "core":
        nodes |= {
            "parts": ("GetVideoComponents", {"video": ["load", 0]}),
            "upscale": ("ImageUpscaleWithModel", {"upscale_model": ["model", 0], "image": ["parts", 0]}),
            "node": ("CreateVideo", {"images": ["upscale", 0], "fps": ["parts", 2]}),
        }
    nodes["save"] = ("SaveVideo", {"video": ["node", 0], "filename_prefix": way, "format": "auto", "codec": "auto"})
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


def _cores_need(clip: Clip, factor: int) -> float:
    return CORES_COPIES * clip.frames * clip.width * clip.height * 3 * 4 * factor**2


def _row(clip: Clip, factor: int, core: list[Sample], node: list[Sample]) -> tuple[list[str], list[Verdict]]:
    """The line of the table for a clip, and its goals."""
    name = f"{clip}, {factor}x"
    growth, seconds = max(each.growth for each in node), statistics.median(each.seconds for each in node)
    goals = []
    if factor == min(FACTORS) and clip.resolution in MOST_GROWTH:
        goals.append(Verdict(f"{name}, GB", growth / 1e9, MOST_GROWTH[clip.resolution] / 1e9))
    cpu = f"{statistics.median(each.cpu for each in node):.1f}"
    if not core:
        about = f"about {_cores_need(clip, factor) / 1e9:.0f}, not run"
        return [name, about, f"{growth / 1e9:.2f}", "", f"{seconds:.1f}", "", cpu, ""], goals
    cores = statistics.median(each.seconds for each in core)
    goals.append(Verdict(f"{name}, of the time of core's chain", seconds / cores, MOST_OF_CORE))
    most = f"{max(each.growth for each in core) / 1e9:.2f}"
    cores_cpu = f"{statistics.median(each.cpu for each in core):.1f}"
    times = [f"{cores:.1f}", f"{seconds:.1f}", cores_cpu, cpu, f"{seconds / cores:.2f}"]
    return [name, most, f"{growth / 1e9:.2f}", *times], goals


def _cpu(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


def _memory(process: Path, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    if not found:
        raise OSError(f"this system does not know {field}")
    return int(found[1]) * 1024


if __name__ == "__main__":
    sys.exit(main())
