"""The frozen face of the pack: what saved workflows and other people's scripts rely on, reduced to plain values.

`python -m tests.comfyui.contract` boots ComfyUI and writes the snapshot anew. That breaks somebody's workflow unless
the change only adds something at the end.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.comfyui.graphs import Input, inputs_of
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client

NODES = ("SeedanceOptions", "SeedanceTextToVideo", "LoadSeedanceVideo", "SeedanceUpscaleVideo")
SNAPSHOT = Path(__file__).with_name("snapshot.json")
KEPT = ("default", "min", "max", "step", "multiline", "control_after_generate", "video_upload", "options")
FILES = "the files there are"


def contract_of(object_info: dict[str, Any]) -> dict[str, Any]:
    """The pack's part of `/object_info`, without what differs from one core or machine to another."""
    return {name: _node(object_info[name]) for name in NODES}


def _node(info: dict[str, Any]) -> dict[str, Any]:
    outputs = zip(info["output_name"], info["output"], info["output_is_list"], strict=True)
    return {
        "display_name": info["display_name"],
        "category": info["category"],
        "output_node": info["output_node"],
        "inputs": [_declaration(each) for each in inputs_of(info["input"])],
        "outputs": [{"name": name, "type": kind, "is_list": is_list} for name, kind, is_list in outputs],
    }


def _declaration(declared: Input) -> dict[str, Any]:
    kept = {key: declared.options[key] for key in KEPT if declared.options.get(key) is not None}
    if declared.options.get("video_upload"):
        kept["options"] = FILES
        kept.pop("default", None)
    return {"name": declared.name, "type": declared.type, "required": declared.required, **kept}


def read_snapshot() -> dict[str, Any]:
    """The frozen contract."""
    snapshot: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return snapshot


def _write_snapshot() -> None:
    pack = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as base, ComfyUI(Path(base), pack=pack) as server, Client(server.url) as client:
        contract = contract_of(client.object_info())
    SNAPSHOT.write_text(json.dumps(contract, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write_snapshot()
