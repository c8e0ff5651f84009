"""Run Comfy-Org's node-diff where this pack can be loaded: among a real ComfyUI's modules, on the CPU, with no server.

Its GitHub action installs nothing, so it can only load packs that import nothing. It compares the nodes and their
outputs of two folders: what it calls breaking would break the workflows that people have saved.

    git worktree add /tmp/base main
    git clone https://github.com/Comfy-Org/node-diff /tmp/node-diff
    make node-diff BASE=/tmp/base NODE_DIFF=/tmp/node-diff
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from .comfyui import CACHE, IMPORT_STUBS
from .comfyui_source import ensure

ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> None:
    """End the process with node-diff's exit code."""
    parser = argparse.ArgumentParser(prog="make node-diff", description=__doc__)
    parser.add_argument("base", type=Path, help="a checkout of what the nodes were before")
    parser.add_argument("node_diff", type=Path, help="a checkout of github.com/Comfy-Org/node-diff")
    asked = parser.parse_args()
    sys.path[:0] = [str(ensure(CACHE))]
    sys.path.append(str(IMPORT_STUBS))
    importlib.import_module("sitecustomize")  # the stand-ins for packages that no node needs
    pretend_to_be_a_server()
    os.chdir("/")  # here, `nodes` would be this project's
    sys.argv[1:] = [str(asked.base.resolve()), str(ROOT)]
    runpy.run_path(str(asked.node_diff / "src" / "validate_nodes.py"), run_name="__main__")


def pretend_to_be_a_server() -> None:
    """Give packs a server to add their routes and their middleware to, which they do while they are loaded."""
    import comfy.options

    sys.argv[1:] = ["--cpu"]
    comfy.options.enable_args_parsing()
    importlib.import_module("utils.extra_config")  # before a part of ComfyUI puts another `utils` in front of it
    from aiohttp.web import Application, RouteTableDef
    from server import PromptServer

    PromptServer.instance = SimpleNamespace(
        app=Application(), routes=RouteTableDef(), loop=asyncio.new_event_loop(), add_on_prompt_handler=lambda _: None
    )


if __name__ == "__main__":
    main()
