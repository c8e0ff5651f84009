"""ComfyUI-Manager from PyPI, in an environment that may be spoilt, and a registry on loopback that has one pack."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import threading
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools import environment
from tools.comfyui import IMPORT_STUBS
from tools.front_end import PACKAGE, version_wanted

MANAGER = "comfyui-manager==4.3"
START = Path(__file__).with_name("start_manager.py")
PATIENCE = 600.0
"""Seconds for one command, which may download."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with all that .venv has, and Manager. What is installed in it stays in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def installed(self) -> list[str]:
        """Every distribution with its version."""
        return self.pip("freeze", "--all").splitlines()

    def pip(self, *arguments: str) -> str:
        return _output([self.python, "-m", "pip", *arguments], dict(os.environ))


def prepare(cache: Path, core: Path, *, instead: tuple[str, str] | None = None) -> Environment:
    """An environment, made once: `instead` names a distribution to remove and the requirement that takes its place.

    Raises subprocess.CalledProcessError when pip fails.
    """
    wanted = [MANAGER, f"{PACKAGE}=={version_wanted(core)}"]
    recipe = json.dumps([environment.fingerprint(), wanted, instead])
    made = Environment(cache / f"manager-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}")
    stamp = made.folder / ".ready"
    if not stamp.exists():
        venv.create(made.folder, clear=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(made.folder)}))
        # Links, not 2 GB of copies. pip and uv replace files and never write into them, so .venv stays as it is.
        shutil.copytree(sysconfig.get_path("purelib"), site, copy_function=_link, dirs_exist_ok=True)
        if instead:
            made.pip("uninstall", "--yes", instead[0])
            wanted.append(instead[1])
        made.pip("install", *wanted)
        stamp.touch()
    return made


class Answer(BaseHTTPRequestHandler):
    """One answer of the registry."""

    server: Registry

    def do_GET(self) -> None:
        content = self.server.answers.get(self.path.partition("?")[0])
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Registry(ThreadingHTTPServer):
    """What the Comfy Registry answers when one pack is installed, and the pack's zip."""

    def __init__(self, name: str, version: str, archive: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        status = "NodeVersionStatusActive"
        latest = {"id": "1", "version": version, "downloadUrl": f"{self.url}/pack.zip", "status": status}
        self.answers = {
            "/nodes": json.dumps({"totalPages": 1, "nodes": [{"id": name, "latest_version": latest}]}).encode(),
            f"/nodes/{name}/install": json.dumps(latest).encode(),
            "/pack.zip": archive.read_bytes(),
        }

    def __enter__(self) -> Registry:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


@dataclass(frozen=True)
class Manager:
    """Manager's command line for one ComfyUI."""

    environment: Environment
    core: Path
    registry: Registry

    def run(self, *arguments: str) -> str:
        """One command. Returns what it prints."""
        variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        variables |= {
            "COMFYUI_PATH": str(self.core),
            "COMFYUI_FOLDERS_BASE_PATH": str(self.core),
            "PYTHONPATH": str(IMPORT_STUBS),
            "PYTHONIOENCODING": "utf-8",
        }
        return _output([self.environment.python, START, self.registry.url, *arguments], variables)


def _output(command: Sequence[str | Path], variables: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env=variables,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
