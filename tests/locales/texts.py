"""The texts of `locales/`, flat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.comfyui.contract import read_snapshot

ROOT: Final = Path(__file__).resolve().parents[2]
LOCALES: Final = ROOT / "locales"

ENGLISH: Final = "en"
OTHERS: Final = ("zh", "zh-TW", "ja", "ko", "fr", "es", "ru", "ar", "tr", "pt-BR", "fa", "he", "it")
LANGUAGES: Final = (ENGLISH, *OTHERS)
"""Every language of ComfyUI's UI."""
RIGHT_TO_LEFT: Final = ("ar", "fa", "he")

NODES: Final[dict[str, Any]] = read_snapshot()
"""The nodes with their inputs and outputs, as `/object_info` lists them."""
CHOICES: Final = {
    choice
    for node in NODES.values()
    for each in node["inputs"]
    if each["type"] == "COMBO" and isinstance(each["options"], list)
    for choice in each["options"]
}
"""What a user may choose from; such a word is the same in every language."""


def texts(language: str) -> dict[str, str]:
    """All texts of a language by their path in ComfyUI's messages: `nodeDefs.SeedanceOptions.inputs.seed.name`."""
    found: dict[str, str] = {}
    for file in sorted((LOCALES / language).glob("*.json")):
        # ComfyUI puts what is in main.json at the top, and every other file under its name.
        prefix = "" if file.stem == "main" else f"{file.stem}."
        found |= flat(json.loads(file.read_text(encoding="utf-8")), prefix)
    return found


def flat(branch: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The texts of nested ones, by all their keys."""
    found: dict[str, str] = {}
    for key, value in branch.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
