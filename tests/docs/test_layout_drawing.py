"""The drawing of nodes/ in CONTRIBUTING.md is complete, and has nothing in it that is gone."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

NODES = ROOT / "nodes"
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OPEN = {".", "comfyui", "jobs", "video"}


def drawn() -> dict[str, set[str]]:
    """The folders of `nodes/` in the drawing, `.` for itself, and the modules that are named in each."""
    (drawing,) = re.findall(r"^└─ nodes/\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    folders: dict[str, set[str]] = {".": set()}
    folder = "."
    for line in drawing.splitlines():
        if beginning := re.match(r" {3}[├└]─ ((\w+)/)?", line):
            folder = beginning[2] or "."
        folders.setdefault(folder, set()).update(re.findall(r"\w+\.py", line))
    return folders


def test_every_folder_is_drawn_and_the_open_ones_are_drawn_whole() -> None:
    folders = drawn()
    assert set(folders) == {file.parent.relative_to(NODES).as_posix() for file in NODES.rglob("*.py")}
    assert {folder for folder, named in folders.items() if named} == OPEN
    for folder in OPEN:
        assert folders[folder] == {file.name for file in (NODES / folder).glob("*.py")} - {"__init__.py"}, folder


def test_the_environment_is_read_where_the_page_says() -> None:
    (said,) = re.findall(r"^- The environment: (.*?)^- ", PAGE, re.DOTALL | re.MULTILINE)
    readers = {file for file in NODES.rglob("*.py") if "os.environ" in file.read_text(encoding="utf-8")}
    given = {"engine.py"}
    assert set(re.findall(r"`([\w/]+\.py)`", said)) == {file.relative_to(NODES).as_posix() for file in readers} | given
