"""The help page of every node in every language, as ComfyUI's help panel looks for it and shows it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Final

from tests.locales.texts import ENGLISH, LANGUAGES, NODES, OTHERS, RIGHT_TO_LEFT, ROOT, texts

DOCS: Final = ROOT / "web" / "docs"
MOST_BYTES: Final = 80_000
CODE: Final = re.compile(r"`([^`]+)`")
NUMBER: Final = re.compile(r"\d+")
PICTURE: Final = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)]+)\)|(?:href|src)\s*=\s*[\"']?([^\"'\s>]+)")
MESSAGE: Final = re.compile(r"^\| `([A-Za-z ]{20,})` \|", re.MULTILINE)

EVERY_PAGE: Final = list(itertools.product(NODES, LANGUAGES))


def file_of(node: str, language: str) -> Path:
    """Where the panel looks."""
    return DOCS / node / f"{language}.md"


def page(node: str, language: str) -> str:
    return file_of(node, language).read_text(encoding="utf-8")


def test_there_is_nothing_but_pages_and_their_pictures() -> None:
    pages = {file_of(node, language) for node, language in EVERY_PAGE}
    pictures = {DOCS / picture for node, language in EVERY_PAGE for picture in PICTURE.findall(page(node, language))}
    assert {file for file in DOCS.rglob("*") if file.is_file()} == pages | pictures


def test_english_page_names_every_input_output_and_choice_with_the_limits_of_numbers() -> None:
    for node, sockets in NODES.items():
        text = page(node, ENGLISH)
        names = set(CODE.findall(text))
        for each in (*sockets["inputs"], *sockets["outputs"]):
            assert each["name"] in names, node
            if each["type"] == "COMBO" and isinstance(each["options"], list):
                assert set(each["options"]) <= names, f"{node} {each['name']}"
            if each["type"] == "INT" and each in sockets["inputs"]:
                assert f"<br>{each['min']} – {each['max']}, **{each['default']}** |" in text, f"{node} {each['name']}"


def test_translation_says_what_the_english_page_says() -> None:
    """As far as a machine can see: the same sections, rows and points, the same names, values and numbers."""
    for node, language in itertools.product(NODES, OTHERS):
        translated, english = page(node, language), page(node, ENGLISH)
        assert outline(translated) == outline(english), f"{node} {language}"
        assert sorted(CODE.findall(translated)) == sorted(CODE.findall(english)), f"{node} {language}"
        assert numbers(translated) >= numbers(english), f"{node} {language}"


def outline(text: str) -> list[str]:
    """What each line begins with, where that makes structure, and `text` for prose."""
    lines = (line for line in text.splitlines() if line and not line.startswith(("<div", "</div")))
    return [match[0] if (match := re.match(r"#+|\||-|!", line)) else "text" for line in lines]


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text.replace(",", ".")))


def test_title_and_tables_say_what_the_node_says() -> None:
    """The node's name, and the label and the tooltip of every input and output."""
    for node, language in EVERY_PAGE:
        said, text = texts(language), page(node, language)
        headings = re.findall(r"^# (.+)$", text, re.MULTILINE)
        assert headings == [said[f"nodeDefs.{node}.display_name"]], f"{node} {language}"
        for path, name in texts(ENGLISH).items():
            if path.startswith((f"nodeDefs.{node}.inputs.", f"nodeDefs.{node}.outputs.")) and path.endswith(".name"):
                label = "" if said[path] == name else f"<br>{said[path]}"
                tooltip = said[path.removesuffix("name") + "tooltip"]
                assert f"| `{name}`{label} | {tooltip}" in text, f"{language} {path}"


def test_pages_show_well_in_the_panel() -> None:
    """It puts the docs folder before a picture, and leaves a link as it is: a relative one would lead into ComfyUI."""
    for node, language in EVERY_PAGE:
        text, where = page(node, language), f"{node} {language}"
        (picture,) = PICTURE.findall(text)
        assert not picture.startswith(("/", "http", ".")), where
        assert (DOCS / picture).stat().st_size < MOST_BYTES, where
        links = ["".join(match) for match in LINK.findall(text)]
        assert [link for link in links if not link.startswith("https://")] == [], where
        lines = text.splitlines()
        wrapped = lines[:2] == ['<div dir="rtl">', ""] and lines[-2:] == ["", "</div>"]
        assert wrapped == (language in RIGHT_TO_LEFT), where


def test_messages_are_those_of_the_code() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "nodes").rglob("*.py"))
    messages = MESSAGE.findall(page("SeedanceTextToVideo", ENGLISH))
    assert len(messages) == 5
    assert [message for message in messages if message not in code] == []
