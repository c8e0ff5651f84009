"""`python cli.py` in a shell, in some other folder, in which ComfyUI's folder and a local RunComfy are set up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nodes.rehearsal import Timing
from tests.support.rehearsal import RehearsalService

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-tests"
PATIENCE = 120.0  # seconds for a command that needs two
CLI = (str(ROOT / "cli.py"),)


class Terminal:
    def __init__(self, base: Path, service: RehearsalService) -> None:
        self.base = base
        base.mkdir(parents=True, exist_ok=True)
        api = {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_API_TOKEN": TOKEN}
        self._environment = os.environ | api | {"PYTHONIOENCODING": "utf-8"}

    def begin(self, *arguments: str, python: Sequence[str] = CLI, **environment: str) -> subprocess.Popen[str]:
        """``python`` is what Python is told to run, and how."""
        return subprocess.Popen(
            [sys.executable, *python, "--comfyui", str(self.base), *arguments],
            cwd=self.base,
            env=self._environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *arguments: str, python: Sequence[str] = CLI, **environment: str) -> tuple[int, str, str]:
        """The exit code, standard output and standard error."""
        with self.begin(*arguments, python=python, **environment) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def file(self, *arguments: str, **environment: str) -> Path:
        """The path that a command prints, and nothing else."""
        code, out, err = self.run(*arguments, **environment)
        assert code == 0, err
        assert Path(out.removesuffix("\n")).stat().st_size > 1000
        return Path(out.removesuffix("\n"))

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run("--json", *arguments)
        assert code == 0, err
        return json.loads(out)


def read_until(words: str, process: subprocess.Popen[str]) -> str:
    """What a command says on standard error, up to some words."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        piece = process.stderr.read(1)
        assert piece, said
        said += piece
    return said


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(tokens=(TOKEN,), timing=Timing(queued=0.1, running=0.2)) as service:
        yield service
        service.release()


@pytest.fixture
def terminal(tmp_path: Path, service: RehearsalService) -> Terminal:
    return Terminal(tmp_path, service)
