"""The README's terminal commands, as they stand there."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, commands
from tests.support.rehearsal import RehearsalService
from tests.terminal.conftest import PATIENCE, Terminal

START = "python cli.py "
PORTABLE = ".\\python_embeded\\python.exe -s ComfyUI\\"
PYTHON = """#!/bin/sh
exec "{}" -I -c "
import runpy, sys
sys.path.insert(0, 'ComfyUI')
sys.argv[:2] = []
runpy.run_path(sys.argv[0], run_name='__main__')
" "$@"
"""
"""The Python of ComfyUI's portable version: it finds ComfyUI's modules, and does not look where the script lies."""


def test_they_do_what_they_say(terminal: Terminal, service: RehearsalService) -> None:
    """One after the other; the one thing that is filled in is REQUEST_ID, from what `jobs` prints."""
    typed = [command.removeprefix(START) for command in commands("README.md") if command.startswith(START)]
    assert len(typed) == 6
    request_id = ""
    for command in typed:
        code, out, err = terminal.run(*shlex.split(command.replace("REQUEST_ID", request_id)))
        assert code == 0, err
        if command.endswith("jobs"):
            (job,) = json.loads(out)
            request_id = job["request_id"]
        elif command.startswith("quote"):
            assert out == "Free: already made\n"
        elif command != "--help":
            assert Path(out.strip()).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="builds the portable version out of links and a script")
def test_the_commands_for_the_portable_version_do_too(tmp_path: Path) -> None:
    """ComfyUI's own `nodes` is not taken for the pack's."""
    python, packs = tmp_path / "python_embeded" / "python.exe", tmp_path / "ComfyUI" / "custom_nodes"
    python.parent.mkdir()
    python.write_text(PYTHON.format(sys.executable), encoding="utf-8")
    python.chmod(0o755)
    packs.mkdir(parents=True)
    (packs / "seedance").symlink_to(ROOT)
    (packs.parent / "nodes.py").write_text("raise SystemExit('this is ComfyUI')", encoding="utf-8")
    (command,) = (command for command in commands("README.md") if command.startswith(PORTABLE))
    typed = shlex.split(command.replace("\\", "/"))
    done = subprocess.run(typed, cwd=tmp_path, check=False, capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == packs.parent / "output" / "seedance" / "rehearsal"
