"""A real ComfyUI hands the translations and the help pages to its UI."""

from __future__ import annotations

import json
from typing import Any

from tests.comfyui.conftest import get
from tests.locales.test_help_pages import DOCS
from tests.locales.texts import ENGLISH, LANGUAGES, LOCALES, NODES, texts
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client


def test_english_is_what_the_nodes_say(client: Client) -> None:
    """The texts of `locales/en/nodeDefs.json`, all of them, reach the browser in the nodes' schemas."""
    object_info = client.object_info()
    said = {name: texts_of(object_info[name]) for name in NODES}
    assert said == json.loads((LOCALES / ENGLISH / "nodeDefs.json").read_text(encoding="utf-8"))


def texts_of(info: dict[str, Any]) -> dict[str, Any]:
    """A node's texts in the shape in which the UI looks for translations."""
    declared = {name: options for group in info["input"].values() for name, (_, options) in group.items()}
    outputs = zip(info["output_name"], info["output_tooltips"], strict=True)
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {
            name: {"name": options.get("display_name") or name, "tooltip": options["tooltip"]}
            for name, options in declared.items()
        },
        "outputs": {str(number): {"name": name, "tooltip": tooltip} for number, (name, tooltip) in enumerate(outputs)},
    }


def test_every_text_is_served(server: ComfyUI) -> None:
    served = get(server, "/i18n").json()
    for language in LANGUAGES:
        for path, text in texts(language).items():
            found: Any = served[language]
            for key in path.split("."):
                found = found[key]
            assert found == text, f"{language} {path}"


def test_every_help_page_and_picture_is_served_as_it_is(server: ComfyUI) -> None:
    files = [file for file in DOCS.rglob("*") if file.is_file()]
    assert len(files) > len(NODES) * len(LANGUAGES)
    for file in files:
        answer = get(server, f"/extensions/seedance/docs/{file.relative_to(DOCS).as_posix()}")
        assert answer.content == file.read_bytes(), file
        # The help panel takes HTML for the page that some servers give instead of a missing file.
        assert "html" not in answer.headers["Content-Type"], file
