"""The map of the house in CONTRIBUTING.md names every module of the rooms that it draws open, and none that is gone."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

NODES = ROOT / "nodes"
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def drawn() -> dict[str, set[str]]:
    """The folders of `nodes/` on the map, `.` for itself, and the modules that are named in each."""
    (house,) = re.findall(r"^└─ nodes/\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    rooms: dict[str, set[str]] = {".": set()}
    room = "."
    for line in house.splitlines():
        if beginning := re.match(r" {3}[├└]─ ((\w+)/)?", line):
            room = beginning[2] or "."
        rooms.setdefault(room, set()).update(re.findall(r"\w+\.py", line))
    return rooms


def modules(room: str) -> set[str]:
    return {file.name for file in (NODES / room).glob("*.py")} - {"__init__.py"}


def test_every_room_is_drawn() -> None:
    assert set(drawn()) == {file.parent.relative_to(NODES).as_posix() for file in NODES.rglob("*.py")}


@pytest.mark.parametrize("room", [room for room, named in drawn().items() if named])
def test_a_room_that_is_drawn_open_is_drawn_whole(room: str) -> None:
    assert drawn()[room] == modules(room)


def test_the_nodes_and_the_generation_are_drawn_open() -> None:
    """So the test above can fail."""
    assert {room for room, named in drawn().items() if named} == {".", "comfyui", "jobs"}


def test_the_environment_is_read_where_the_page_says() -> None:
    (told,) = re.findall(r"^- The environment: (.*?)^- ", PAGE, re.DOTALL | re.MULTILINE)
    readers = {file for file in NODES.rglob("*.py") if "os.environ" in file.read_text(encoding="utf-8")}
    given = {"engine.py", "comfyui/token_settings.py"}
    assert set(re.findall(r"`([\w/]+\.py)`", told)) == {file.relative_to(NODES).as_posix() for file in readers} | given
