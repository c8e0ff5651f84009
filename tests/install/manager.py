"""ComfyUI-Manager from PyPI, in an environment that may be spoilt, and a registry on loopback that has one pack."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.loopback_server import Loopback, Received, reply
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


def prepare(cache: Path, core: Path) -> Environment:
    """An environment, made once.

    Raises subprocess.CalledProcessError when pip fails.
    """
    wanted = [MANAGER, f"{PACKAGE}=={version_wanted(core)}"]
    recipe = json.dumps([environment.fingerprint(), wanted])
    made = Environment(cache / f"manager-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}")
    stamp = made.folder / ".ready"
    if not stamp.exists():
        venv.create(made.folder, clear=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(made.folder)}))
        # Links, not 2 GB of copies. pip and uv replace files and never write into them, so .venv stays as it is.
        shutil.copytree(sysconfig.get_path("purelib"), site, copy_function=_link, dirs_exist_ok=True)
        made.pip("install", *wanted)
        stamp.touch()
    return made


def registry(name: str, archives: Mapping[str, Path]) -> Loopback:
    """What the Comfy Registry answers when one pack is installed or updated, and the pack's zips by version.

    The last version is the newest one.
    """

    def found(version: str) -> dict[str, str]:
        url = f"{server.origin}/{version}.zip"
        return {"id": "1", "version": version, "status": "NodeVersionStatusActive", "downloadUrl": url}

    def answer(request: Received) -> list[bytes]:
        path, _, query = request.target.partition("?")
        newest = list(archives)[-1]
        asked = query.removeprefix("version=") if query.startswith("version=") else newest
        content: object = {
            "/nodes": {"totalPages": 1, "nodes": [{"id": name, "latest_version": found(newest)}]},
            f"/nodes/{name}/install": found(asked),
        }.get(path)
        if content is not None:
            return [reply(200, json.dumps(content).encode())]
        version = path.removeprefix("/").removesuffix(".zip")
        return [reply(200, archives[version].read_bytes()) if version in archives else reply(404)]

    server = Loopback(answer)
    return server


@dataclass(frozen=True)
class Manager:
    """Manager's command line for one ComfyUI."""

    environment: Environment
    core: Path
    registry: Loopback

    def run(self, *arguments: str) -> str:
        """One command. Returns what it prints."""
        variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        variables |= {
            "COMFYUI_PATH": str(self.core),
            "COMFYUI_FOLDERS_BASE_PATH": str(self.core),
            "PYTHONPATH": str(IMPORT_STUBS),
            "PYTHONIOENCODING": "utf-8",
        }
        return _output([self.environment.python, START, self.registry.origin, *arguments], variables)


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
