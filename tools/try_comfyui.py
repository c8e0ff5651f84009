"""ComfyUI with this pack and its real web UI, to open in a browser and try. Rehearsal mode needs no token, no money.

It has no token of the environment's: nothing can be bought in it unless one is saved in its Settings.
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
from types import FrameType
from typing import Final, NoReturn

from .comfyui import CACHE, ComfyUI, StartFailed
from .comfyui_source import ensure
from .demo import BASE, PACK
from .front_end import front_end
from .upscale_model import UPSCALER, write_tiny_upscaler

PORT: Final = 8188


def main() -> int:
    """Run the server until Ctrl-C. Returns the exit code: 0 when it was ended so."""
    parser = argparse.ArgumentParser(prog="make comfyui", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="on this machine only (%(default)s)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        return serve(arguments.port)
    except KeyboardInterrupt:
        print("\nStopped. What was made is kept for the next time.")
        return 0
    except (StartFailed, OSError, ValueError, subprocess.CalledProcessError) as failure:
        print(f"ComfyUI could not be started. {failure}", file=sys.stderr)
        return 1


def serve(port: int) -> int:
    """Run the server until it ends. Returns its exit code.

    Raises `OSError` when the port is taken, and what the downloads and the server raise.
    """
    # A server that is there already would answer in place of ours, and hide that ours did not come up.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise OSError(f"Port {port} is taken; choose another: make comfyui PORT={port + 1}") from taken
    print("Starting ComfyUI ...", flush=True)
    core = ensure(CACHE)
    write_tiny_upscaler(BASE / "models" / "upscale_models" / UPSCALER)
    with ComfyUI(BASE, pack=PACK, core=core, front_end=front_end(core, CACHE), port=port) as server:
        print(
            f"Open {server.url} in a browser. The examples are under Templates, at the pack's name.\n"
            f"Files are in {server.base}, with ComfyUI's log, comfyui.log. Ctrl-C ends it.",
            flush=True,
        )
        return server.wait()


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
