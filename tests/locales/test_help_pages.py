"""The help page of every node in every language, as ComfyUI's help panel looks for it and shows it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Final

import pytest

from tests.locales.texts import ENGLISH, LANGUAGES, NODES, OTHERS, RIGHT_TO_LEFT, ROOT, texts

DOCS: Final = ROOT / "web" / "docs"
MOST_BYTES: Final = 80_000
CODE: Final = re.compile(r"`([^`]+)`")
NUMBER: Final = re.compile(r"\d+")
PICTURE: Final = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)]+)\)|(?:href|src)\s*=\s*[\"']?([^\"'\s>]+)")
MESSAGE: Final = re.compile(r"^\| `([A-Za-z ]{20,})` \|", re.MULTILINE)

EVERY_PAGE: Final = list(itertools.product(NODES, LANGUAGES))
EVERY_TRANSLATION: Final = list(itertools.product(NODES, OTHERS))


def file_of(node: str, language: str) -> Path:
    """Where the panel looks; English is what it falls back to."""
    return DOCS / f"{node}.md" if language == ENGLISH else DOCS / node / f"{language}.md"


def page(node: str, language: str) -> str:
    return file_of(node, language).read_text(encoding="utf-8")


def test_there_is_nothing_but_pages_and_their_pictures() -> None:
    pages = {file_of(node, language) for node, language in EVERY_PAGE}
    pictures = {DOCS / picture for node, language in EVERY_PAGE for picture in PICTURE.findall(page(node, language))}
    assert {file for file in DOCS.rglob("*") if file.is_file()} == pages | pictures


@pytest.mark.parametrize(("node", "language"), EVERY_PAGE)
def test_page_is_headed_by_the_nodes_name(node: str, language: str) -> None:
    headings = re.findall(r"^# (.+)$", page(node, language), re.MULTILINE)
    assert headings == [texts(language)[f"nodeDefs.{node}.display_name"]]


@pytest.mark.parametrize("node", NODES)
def test_english_page_names_every_input_output_and_choice(node: str) -> None:
    told = set(CODE.findall(page(node, ENGLISH)))
    sockets = [*NODES[node]["inputs"], *NODES[node]["outputs"]]
    assert {each["name"] for each in sockets} <= told
    assert {choice for each in sockets if each["type"] == "COMBO" for choice in choices(each)} <= told


def choices(declared: dict[str, object]) -> list[str]:
    options = declared["options"]
    return options if isinstance(options, list) else []


@pytest.mark.parametrize("node", NODES)
def test_english_page_tells_the_limits_and_defaults_of_numbers(node: str) -> None:
    for each in NODES[node]["inputs"]:
        if each["type"] == "INT":
            assert f"<br>{each['min']} – {each['max']}, **{each['default']}** |" in page(node, ENGLISH), each["name"]


@pytest.mark.parametrize(("node", "language"), EVERY_TRANSLATION)
def test_translation_tells_what_the_english_page_tells(node: str, language: str) -> None:
    """As far as a machine can see: the same sections, rows and points, the same names, values and numbers."""
    translated, english = page(node, language), page(node, ENGLISH)
    assert outline(translated) == outline(english)
    assert sorted(CODE.findall(translated)) == sorted(CODE.findall(english))
    assert numbers(translated) >= numbers(english)


def outline(text: str) -> list[str]:
    """What each line begins with, where that makes structure, and `text` for prose."""
    lines = (line for line in text.splitlines() if line and not line.startswith(("<div", "</div")))
    return [match[0] if (match := re.match(r"#+|\||-|!", line)) else "text" for line in lines]


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text.replace(",", ".")))


@pytest.mark.parametrize(("node", "language"), EVERY_PAGE)
def test_tables_say_what_the_node_says(node: str, language: str) -> None:
    """The label and the tooltip of every input and output."""
    said = texts(language)
    for path, name in texts(ENGLISH).items():
        if path.startswith((f"nodeDefs.{node}.inputs.", f"nodeDefs.{node}.outputs.")) and path.endswith(".name"):
            label = "" if said[path] == name else f"<br>{said[path]}"
            tooltip = said[path.removesuffix("name") + "tooltip"]
            assert f"| `{name}`{label} | {tooltip}" in page(node, language), path


@pytest.mark.parametrize(("node", "language"), EVERY_PAGE)
def test_picture_is_there_and_small(node: str, language: str) -> None:
    """The panel puts the docs folder before a relative picture, wherever the page itself is."""
    (picture,) = PICTURE.findall(page(node, language))
    assert not picture.startswith(("/", "http", "."))
    assert (DOCS / picture).stat().st_size < MOST_BYTES


@pytest.mark.parametrize(("node", "language"), EVERY_PAGE)
def test_links_lead_out_or_there_are_none(node: str, language: str) -> None:
    """The panel leaves a link as it is, so a relative one would lead into the middle of ComfyUI."""
    found = ["".join(match) for match in LINK.findall(page(node, language))]
    assert [link for link in found if not link.startswith("https://")] == []


@pytest.mark.parametrize(("node", "language"), EVERY_PAGE)
def test_pages_run_as_their_script_does(node: str, language: str) -> None:
    lines = page(node, language).splitlines()
    wrapped = lines[:2] == ['<div dir="rtl">', ""] and lines[-2:] == ["", "</div>"]
    assert wrapped == (language in RIGHT_TO_LEFT)


def test_messages_are_those_of_the_code() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "nodes").rglob("*.py"))
    messages = MESSAGE.findall(page("SeedanceTextToVideo", ENGLISH))
    assert len(messages) == 5
    assert [message for message in messages if message not in code] == []
