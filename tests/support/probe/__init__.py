"""Nodes that let a test look inside a running ComfyUI. A pack of its own, copied into the server under test."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiohttp import web

GATE_SECONDS = 60.0

Inputs = Mapping[str, Any]
_gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


class Anything(str):
    """A type that fits every socket, as packs have it; ComfyUI's own `*` does not."""

    __slots__ = ()

    def __ne__(self, _: object) -> bool:
        return False


ANYTHING = Anything("*")
SCALARS = MappingProxyType({"fps": "FLOAT", "frame_count": "INT", "request_id": "STRING", "video_path": "STRING"})


class Probe:
    """What each of them is to ComfyUI: `run`, by its inputs."""

    RETURN_TYPES: tuple[str, ...] = ()
    FUNCTION = "run"
    CATEGORY = "Probe"
    REQUIRED: Inputs = MappingProxyType({})
    OPTIONAL: Inputs = MappingProxyType({})
    HIDDEN: Inputs = MappingProxyType({})

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:
        return {"required": dict(cls.REQUIRED), "optional": dict(cls.OPTIONAL), "hidden": dict(cls.HIDDEN)}


class ProbeClip(Probe):
    """Reports what arrives on the six sockets of a video node, in the run's outputs under `probe`."""

    OUTPUT_NODE = True
    REQUIRED = MappingProxyType({"images": ("IMAGE",)})
    OPTIONAL = MappingProxyType(
        {**{name: (kind, {"forceInput": True}) for name, kind in SCALARS.items()}, "video": ("VIDEO",)}
    )

    def run(self, images: Any, video: Any = None, **scalars: Any) -> dict[str, Any]:
        seen = {
            "shape": list(images.shape),
            "dtype": str(images.dtype),
            "device": str(images.device),
            "contiguous": images.is_contiguous(),
            "lowest": float(images.min()),
            "highest": float(images.max()),
            "levels": [(frame.mean(dim=(0, 1)) * 255).tolist() for frame in images],  # red, green, blue of 255
            "scalars": scalars,
            "types": {name: type(value).__name__ for name, value in scalars.items()},
            "video_size": list(video.get_dimensions()) if video is not None else None,
        }
        return {"ui": {"probe": [seen]}}


class ProbeDifference(Probe):
    """Reports how far apart two pictures, or two lists of frames, are, in levels of 255."""

    OUTPUT_NODE = True
    REQUIRED = MappingProxyType({"one": ("IMAGE",), "other": ("IMAGE",)})

    def run(self, one: Any, other: Any) -> dict[str, Any]:
        apart = (one - other).abs() * 255
        seen = {
            "shapes": [list(one.shape), list(other.shape)],
            "levels": float(apart.max()),
            "mean": float(apart.mean()),
            "whole_levels": bool(((other * 255).round() - other * 255).abs().max() < 0.01),
        }
        return {"ui": {"probe": [seen]}}


class ProbeTexts(Probe):
    """A list of texts, one per line: what follows runs once for each."""

    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    REQUIRED = MappingProxyType({"lines": ("STRING", {"multiline": True})})

    def run(self, lines: str) -> tuple[list[str]]:
        return (lines.split("\n"),)


class ProbeAnything(Probe):
    """Hands anything on under no type, as nodes do whose output goes anywhere."""

    RETURN_TYPES = (ANYTHING,)
    REQUIRED = MappingProxyType({"value": (ANYTHING,)})

    def run(self, value: Any) -> tuple[Any]:
        return (value,)


class ProbeGate(Probe):
    """Hands what it is given on once the test has opened the gate."""

    RETURN_TYPES = (ANYTHING,)
    REQUIRED = MappingProxyType({"image": (ANYTHING,), "gate": ("STRING", {"default": ""})})

    async def run(self, image: Any, gate: str) -> tuple[Any]:
        if not await asyncio.to_thread(_gates[gate].wait, GATE_SECONDS):
            raise TimeoutError(f"nobody opened the gate {gate}")
        return (image,)


class ProbeLoop(Probe):
    """Asks for its picture once more when it has it already, and adds itself again: as lazy inputs and loops do."""

    OUTPUT_NODE = True
    REQUIRED = MappingProxyType(
        {"image": ("IMAGE",), "again": ("IMAGE", {"lazy": True}), "rounds": ("INT", {"min": 1})}
    )
    HIDDEN = MappingProxyType({"graph": "DYNPROMPT", "node": "UNIQUE_ID"})

    def check_lazy_status(self, **_: Any) -> list[str]:
        return ["again"]

    def run(self, rounds: int, graph: Any, node: str, **_: Any) -> dict[str, Any]:
        if rounds == 1:
            return {"ui": {"probe": [node]}}
        inputs = {**graph.get_node(node)["inputs"], "rounds": rounds - 1}
        return {"result": (), "expand": {f"{node}.{rounds}": {"class_type": "ProbeLoop", "inputs": inputs}}}


class ProbeExpand(Probe):
    """Adds a node while the graph runs, and hands its first output on: as loops and switches do."""

    RETURN_TYPES = (ANYTHING,)
    REQUIRED = MappingProxyType({"class_type": ("STRING", {}), "inputs": ("STRING", {})})

    def run(self, class_type: str, inputs: str) -> dict[str, Any]:
        added = {"class_type": class_type, "inputs": json.loads(inputs)}
        return {"result": (["expanded", 0],), "expand": {"expanded": added}}


class ProbeSampler(Probe):
    """Keeps ComfyUI's event loop to itself until Stop, and takes the Stop for itself: as samplers do."""

    RETURN_TYPES = ("IMAGE",)
    REQUIRED = MappingProxyType({"image": ("IMAGE",), "seconds_a_step": ("FLOAT", {"default": 0.1, "step": 0.001})})

    def run(self, image: Any, seconds_a_step: float) -> tuple[Any]:
        from comfy.model_management import throw_exception_if_processing_interrupted

        ends = time.monotonic() + GATE_SECONDS
        while time.monotonic() < ends:
            time.sleep(seconds_a_step)
            throw_exception_if_processing_interrupted()
        raise TimeoutError("nobody pressed Stop")


def seconds_to_import(pack: Path) -> float:
    """The processor's time for a pack's import when all that ComfyUI itself imports is there already."""
    name = f"imported_once_more_{time.perf_counter_ns()}"
    spec = importlib.util.spec_from_file_location(name, pack / "__init__.py", submodule_search_locations=[str(pack)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    begun = time.thread_time()
    spec.loader.exec_module(module)
    return time.thread_time() - begun


def _add_routes() -> None:
    from server import PromptServer

    routes: web.RouteTableDef = PromptServer.instance.routes

    @routes.post("/probe/open/{gate}")
    async def open_gate(request: web.Request) -> web.Response:
        _gates[request.match_info["gate"]].set()
        return web.Response()

    @routes.post("/probe/stop")
    async def stop(request: web.Request) -> web.Response:
        """As another pack may press Stop: past ComfyUI's own address for it."""
        from comfy.model_management import interrupt_current_processing

        interrupt_current_processing()
        return web.Response()

    @routes.get("/probe/seconds_to_import/{pack}")
    async def import_again(request: web.Request) -> web.Response:
        pack = Path(__file__).parent.parent / request.match_info["pack"]
        return web.json_response(seconds_to_import(pack))


_add_routes()

NODE_CLASS_MAPPINGS = {node.__name__: node for node in Probe.__subclasses__()}
