"""The help page of every node in every language, as ComfyUI's help panel looks for it and shows it."""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from tests.locales.texts import ENGLISH, LANGUAGES, NODES, OTHERS, RIGHT_TO_LEFT, ROOT, texts

DOCS: Final = ROOT / "web" / "docs"
PAGES: Final = {
    (node, language): (DOCS / node / f"{language}.md").read_text(encoding="utf-8")
    for node, language in product(NODES, LANGUAGES)
}
"""Where the panel looks for them."""
MOST_BYTES: Final = 80_000
PICTURE: Final = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)]+)\)|(?:href|src)\s*=\s*[\"']?([^\"'\s>]+)")


def test_there_is_nothing_but_pages_and_their_pictures() -> None:
    files = {DOCS / node / f"{language}.md" for node, language in PAGES}
    files |= {DOCS / picture for page in PAGES.values() for picture in PICTURE.findall(page)}
    assert {file for file in DOCS.rglob("*") if file.is_file()} == files


def test_english_page_names_every_choice_and_the_limits_of_numbers() -> None:
    for node, sockets in NODES.items():
        page = PAGES[node, ENGLISH]
        for each in sockets["inputs"]:
            if each["type"] == "COMBO" and isinstance(each["options"], list):
                assert set(each["options"]) <= set(named(page)), f"{node} {each['name']}"
            if each["type"] == "INT":
                assert f"<br>{each['min']} – {each['max']}, **{each['default']}** |" in page, f"{node} {each['name']}"


def test_translation_says_what_the_english_page_says() -> None:
    """As far as a machine can see: the same sections, rows and points, the same names, values and numbers."""
    for node, language in product(NODES, OTHERS):
        translated, english = PAGES[node, language], PAGES[node, ENGLISH]
        assert outline(translated) == outline(english), f"{node} {language}"
        assert sorted(named(translated)) == sorted(named(english)), f"{node} {language}"
        assert numbers(translated) >= numbers(english), f"{node} {language}"


def named(page: str) -> list[str]:
    """What is set as code."""
    return re.findall(r"`([^`]+)`", page)


def outline(page: str) -> list[str]:
    """What each line begins with, where that makes structure, and `text` for prose."""
    lines = (line for line in page.splitlines() if line and not line.startswith(("<div", "</div")))
    return [match[0] if (match := re.match(r"#+|\||-|!", line)) else "text" for line in lines]


def numbers(page: str) -> set[str]:
    return set(re.findall(r"\d+", page.replace(",", ".")))


def test_title_and_tables_say_what_the_node_says() -> None:
    """The node's name, and the label and the tooltip of every input and output."""
    for (node, language), page in PAGES.items():
        said = texts(language)
        headings = re.findall(r"^# (.+)$", page, re.MULTILINE)
        assert headings == [said[f"nodeDefs.{node}.display_name"]], f"{node} {language}"
        for path, name in texts(ENGLISH).items():
            if path.startswith((f"nodeDefs.{node}.inputs.", f"nodeDefs.{node}.outputs.")) and path.endswith(".name"):
                label = "" if said[path] == name else f"<br>{said[path]}"
                tooltip = said[path.removesuffix("name") + "tooltip"]
                assert f"| `{name}`{label} | {tooltip}" in page, f"{language} {path}"


def test_pages_show_well_in_the_panel() -> None:
    """It puts the docs folder before a picture, and leaves a link as it is: a relative one would lead into ComfyUI."""
    for where, page in PAGES.items():
        (picture,) = PICTURE.findall(page)
        assert not picture.startswith(("/", "http", ".")), where
        assert (DOCS / picture).stat().st_size < MOST_BYTES, where
        links = ["".join(match) for match in LINK.findall(page)]
        assert [link for link in links if not link.startswith("https://")] == [], where
        lines = page.splitlines()
        wrapped = lines[:2] == ['<div dir="rtl">', ""] and lines[-2:] == ["", "</div>"]
        assert wrapped == (where[1] in RIGHT_TO_LEFT), where


def test_messages_are_those_that_users_read() -> None:
    files = [*(ROOT / "nodes").rglob("*.py"), ROOT / "locales" / "en" / "main.json"]
    all_texts = "".join(file.read_text(encoding="utf-8") for file in files)
    messages = re.findall(r"^\| `([A-Za-z ]{20,})` \|", PAGES["SeedanceTextToVideo", ENGLISH], re.MULTILINE)
    assert len(messages) == 5
    assert [message for message in messages if message not in all_texts] == []
