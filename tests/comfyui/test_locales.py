"""A real ComfyUI hands the translations and the help pages to its UI."""

from __future__ import annotations

from typing import Any

from tests.comfyui.conftest import get
from tests.locales.test_help_pages import DOCS
from tests.locales.texts import LANGUAGES, NODES, texts
from tools.comfyui import ComfyUI


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
