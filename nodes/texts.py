"""Texts for users, by their keys in `locales/`: English here; the browser shows them in its user's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).resolve().parents[1] / "locales" / "en"
ENGLISH: Final[Mapping[str, Any]] = json.loads((_FOLDER / "main.json").read_text(encoding="utf-8"))["seedance"]
"""Sentences, in folders by what they are about."""
NODES: Final[Mapping[str, Any]] = json.loads((_FOLDER / "nodeDefs.json").read_text(encoding="utf-8"))
"""Names and tooltips of the nodes, their inputs and outputs, by their ids."""
SETTINGS: Final = "Settings > Seedance"
"""This pack's page of ComfyUI's settings, as sentences name it."""


class Text(str):
    """An English sentence that knows its key and its values, by which it can be shown in other languages.

    ``key`` leads to it in `ENGLISH`: `errors.tokenMissing.advice`. ``values`` are other texts, words of services and
    systems, and numbers.
    """

    key: str
    values: Mapping[str, str | int]

    def __new__(cls, key: str, **values: str | int) -> Text:
        sentence: Any = ENGLISH
        for name in key.split("."):
            sentence = sentence[name]
        self = super().__new__(cls, sentence.format_map(values))
        self.key, self.values = key, values
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str | int]]:
        """For `copy` and `pickle`; ComfyUI copies what nodes have said."""
        return (self.key,), dict(self.values)


def as_json(text: str | int) -> object:
    """For the browser: a text by its key and values; everything else as it is."""
    if not isinstance(text, Text):
        return text
    return {"key": text.key, "values": {name: as_json(value) for name, value in text.values.items()}}
