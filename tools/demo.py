"""The whole way in a real ComfyUI: a prompt becomes frames, the frames are upscaled, the result is saved.

In rehearsal (the default) the service is the pack's own stand-in: no token, no cost. `--mode live` generates for
real, with the token in RUNCOMFY_API_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .comfyui import ComfyUI, StartFailed
from .comfyui_client import Client, Refused, Run, Status
from .comfyui_events import PROGRESS_TEXT, Event
from .contact_sheet import write_contact_sheet
from .upscale_model import write_tiny_upscaler

PACK: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = PACK / "demo-output"
BASE: Final = OUTPUT / "comfyui"
"""Kept by `make clean`, with a paid job's file and record in it."""
PROMPT: Final = "A small round robot rolls along a wooden pier at dusk, under strings of coloured lanterns."
MODEL: Final = "demo-2x.safetensors"
TOKEN: Final = "RUNCOMFY_API_TOKEN"  # noqa: S105 - the variable's name, no token
API_BASE_URL: Final = "RUNCOMFY_API_BASE_URL"
DEFAULTS: Final = {"resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
TIME_LIMIT: Final = {"rehearsal": 300.0, "live": 2400.0}
"""Seconds; longer than the pack's own deadline of 30 minutes."""
SAVE: Final = "6"
"""The id of the node that saves."""


class DemoFailed(Exception):
    """The demo cannot go on; the message is for whoever started it."""


def main() -> int:
    """Run the demo. Returns the exit code: 0 only when the files are there."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--mode", choices=list(TIME_LIMIT), default="rehearsal")
    parser.add_argument("--prompt", default="")
    arguments = parser.parse_args()
    try:
        environment = service_environment(arguments.mode)
    except DemoFailed as failure:
        return _fail(str(failure))
    try:
        print(demonstrate(arguments.mode, arguments.prompt.strip() or PROMPT, environment))
    except (DemoFailed, StartFailed, Refused, OSError, ValueError, subprocess.CalledProcessError) as failure:
        return _fail(f"{failure}\nComfyUI's log, if it has started: {BASE / 'comfyui.log'}")
    except KeyboardInterrupt:
        return _fail("It was stopped.")
    return 0


def _fail(message: str) -> int:
    print(f"The demo failed. {message}", file=sys.stderr)
    return 1


def demonstrate(mode: str, prompt: str, environment: Mapping[str, str]) -> str:
    """Run the graph. Returns the closing line; raises `DemoFailed` and what the server and its client raise."""
    write_tiny_upscaler(BASE / "models" / "upscale_models" / MODEL)
    print("Starting ComfyUI ...", flush=True)
    with ComfyUI(BASE, pack=PACK, env=environment) as server, Client(server.url) as client:
        print(f"ComfyUI answers at {server.url}. {mode.capitalize()}: {prompt}", flush=True)
        graph = demo_graph(mode, prompt)
        run = client.run(graph, on_event=Narrator(graph), timeout=TIME_LIMIT[mode])
        upscaled = saved_video(run, BASE / "output").replace(OUTPUT / "upscaled.mp4")
    video = write_contact_sheet(upscaled, OUTPUT / "contact-sheet.png")
    return f"OK {video.frames} frames {video.width}x{video.height} {upscaled.relative_to(PACK)}"


class Narrator:
    """Prints a line when a node starts and when it begins something else, which its first word says."""

    def __init__(self, graph: Mapping[str, Mapping[str, Any]]) -> None:
        self._graph = graph
        self._printed: list[str] = []

    def __call__(self, event: Event) -> None:
        if event.name == "executing" and event.data["node"]:
            print(f"{self._graph[event.data['node']]['_meta']['title']} ...", flush=True)
        elif event.name == PROGRESS_TEXT and (said := event.data["text"].split())[:1] != self._printed:
            print(f"  {' '.join(said)}", flush=True)
            self._printed = said[:1]


def service_environment(mode: str) -> Mapping[str, str]:
    """What the server must know of RunComfy: nothing in rehearsal. Raises `DemoFailed` when live has no token."""
    if mode == "rehearsal":
        return {}
    if not os.environ.get(TOKEN):
        raise DemoFailed(f"MODE=live needs your RunComfy token in {TOKEN}; nothing was started and nothing charged.")
    return {name: os.environ[name] for name in (TOKEN, API_BASE_URL) if os.environ.get(name)}


def demo_graph(mode: str, prompt: str) -> dict[str, dict[str, Any]]:
    """The graph, in ComfyUI's API format. Live has the service's defaults; rehearsal is shorter, to be quick."""
    options = DEFAULTS if mode == "live" else {**DEFAULTS, "duration": 2}
    text_to_video = {
        "text": prompt,
        "mode": mode,
        "reuse": mode == "live",  # a rehearsal is to be seen, a paid job not to be bought twice
        "options": ["1", 0],
    }
    return {
        "1": _node("SeedanceOptions", "Options", options),
        "2": _node("SeedanceTextToVideo", "Seedance text to video", text_to_video),
        "3": _node("UpscaleModelLoader", "Load upscale model", {"model_name": MODEL}),
        "4": _node("ImageUpscaleWithModel", "Upscale 2x", {"upscale_model": ["3", 0], "image": ["2", 0]}),
        "5": _node("CreateVideo", "Create video", {"images": ["4", 0], "fps": ["2", 2]}),
        SAVE: _node(
            "SaveVideo",
            "Save video",
            {"video": ["5", 0], "filename_prefix": "demo/upscaled", "format": "mp4", "codec": "h264"},
        ),
    }


def saved_video(run: Run, output: Path) -> Path:
    """The file that the run saved, under ComfyUI's output folder. Raises `DemoFailed` when it did not succeed."""
    if run.status is not Status.SUCCESS:
        reason = f"{run.error.node_type} said: {run.error.message}" if run.error else f"The run was {run.status.value}."
        raise DemoFailed(reason)
    saved = run.outputs[SAVE]["images"][0]
    return output.joinpath(saved["subfolder"], saved["filename"])


def _node(class_type: str, title: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": dict(inputs), "_meta": {"title": title}}


if __name__ == "__main__":
    sys.exit(main())
