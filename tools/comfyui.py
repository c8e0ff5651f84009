"""A real ComfyUI server as a subprocess, with this pack installed in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import requests

from .comfyui_source import ensure, install_pack

FOLDERS: Final = ("input", "output", "temp", "user", "custom_nodes", "models/upscale_models")
CACHE: Final = Path(__file__).resolve().parent.parent / ".cache"
IMPORT_STUBS: Final = Path(__file__).resolve().parent / "import_stubs"
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 10.0


class StartFailed(Exception):
    """The server did not come up; the message ends with the last lines of its log."""


class ComfyUI:
    """One server, from entering the `with` block to leaving it.

    Its environment is the caller's without any RunComfy variable, plus ``env``. The interpreter is `COMFYUI_PYTHON`
    or the one that runs this.

    Args:
        base: made if need be; a second server may take it over when the first has ended.
        pack: the root of this repository; None where it is installed in another way, or not at all.
        env: variables added to the server's environment.
        front_end: the built web UI; without it there is a stub page.
        port: on loopback; 0 picks a free one.
        extra_args: further command line arguments of ComfyUI.
        core: ComfyUI's own folder; without it, what `ensure` gives.
    """

    def __init__(
        self,
        base: Path,
        *,
        pack: Path | None,
        env: Mapping[str, str] | None = None,
        front_end: Path | None = None,
        port: int = 0,
        extra_args: Sequence[str] = (),
        core: Path | None = None,
    ) -> None:
        self.base = base.resolve()
        """The folder that holds its input, output, temp, user, models and custom_nodes."""
        self._port = port or free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        """Where it answers, without a trailing slash."""
        self._pack = pack
        self._env = env
        self._front_end = front_end
        self._extra_args = extra_args
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ComfyUI:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """Everything the server has written so far, both streams."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers. Raises `StartFailed`."""
        core = self._core or ensure(CACHE)
        for folder in FOLDERS:
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        if self._pack is not None:
            install_pack(self._pack, self.base / "custom_nodes")
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(core),
                cwd=core,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def wait(self) -> int:
        """Wait until the server ends by itself. Returns its exit code."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.wait()

    def stop(self) -> None:
        """End the server: ask first, then insist. Does nothing when it has ended."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def _log_file(self) -> Path:
        return self.base / "comfyui.log"

    def _command(self, core: Path) -> list[str]:
        python = os.environ.get("COMFYUI_PYTHON") or sys.executable
        arguments = ["--cpu", "--listen", "127.0.0.1", "--port", str(self._port), "--disable-auto-launch"]
        arguments += ["--base-directory", str(self.base), "--database-url", "sqlite:///:memory:"]
        arguments += ["--front-end-root", str(self._front_end or self._stub_front_end())]
        if "--disable-api-nodes" in (core / "comfy" / "cli_args.py").read_text(encoding="utf-8"):
            arguments.append("--disable-api-nodes")
        return [python, str(core / "main.py"), *arguments, *self._extra_args]

    def _stub_front_end(self) -> Path:
        folder = self.base / "front_end"
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text("<!doctype html><title>ComfyUI without its web UI</title>\n")
        return folder

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("RUNCOMFY_") and name != "YOUR_API_TOKEN"
        }
        search_path = [str(IMPORT_STUBS), *filter(None, [inherited.get("PYTHONPATH")])]
        return {**inherited, "PYTHONPATH": os.pathsep.join(search_path), "PYTHONUNBUFFERED": "1", **(self._env or {})}

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on loopback
            while True:
                if (code := process.poll()) is not None:
                    raise StartFailed(f"ComfyUI ended with code {code}:\n{self._log_tail()}")
                if time.monotonic() > deadline:
                    raise StartFailed(f"ComfyUI did not answer within {START_SECONDS:g} s:\n{self._log_tail()}")
                try:
                    session.get(f"{self.url}/system_stats", timeout=5).raise_for_status()
                    return
                except requests.RequestException:
                    time.sleep(0.1)

    def _log_tail(self) -> str:
        return "\n".join(self.log.splitlines()[-40:])


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
