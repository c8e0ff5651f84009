"""The README's terminal commands, as they stand there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.docs.pages import commands
from tests.support.rehearsal import RehearsalService
from tests.terminal.terminal import Terminal

START = "python cli.py "


def test_they_do_what_they_say(terminal: Terminal, service: RehearsalService) -> None:
    """One after the other; the one thing that is filled in is REQUEST_ID, from what `jobs` prints."""
    typed = [command.removeprefix(START) for command in commands("README.md") if command.startswith(START)]
    assert len(typed) == 5
    request_id = ""
    for command in typed:
        code, out, err = terminal.run(*shlex.split(command.replace("REQUEST_ID", request_id)))
        assert code == 0, err
        if command.endswith("jobs"):
            (job,) = json.loads(out)
            request_id = job["request_id"]
        elif command != "--help":
            assert Path(out.strip()).exists()
