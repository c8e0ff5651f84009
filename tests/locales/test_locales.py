"""Every language says all that English says, and in its own words."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from tests.locales.texts import CHOICES, ENGLISH, LANGUAGES, LOCALES, NODES, OTHERS, texts

TRANSLATED_FROM: Final = "956c169da03e3bf412590d7e274a81339f14306ae13e9b84f2bb09c47f77258e"
"""Of the English texts when the other languages were last brought up to them."""

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
NUMBER: Final = re.compile(r"\d+")
NAMES: Final = {"ByteDance Seedance 1.0 Pro Fast", "Seedance", "RunComfy", "ComfyUI", "MP4", "https", "output/seedance"}
"""Names and file names, which no language changes; the choices of a widget neither."""

SAME: Final[dict[str, set[str]]] = {
    "ja": {"fps"},
    "ko": {"fps"},
    "fr": {"mode", "options", "seed", "source", "images", "fps", "seed {seed}", "{seconds} s"},
    "es": {"video", "fps", "{seconds} s"},
    "tr": {"video", "fps"},
    "pt-BR": {"fps", "{seconds} s"},
    "he": {"seed", "seed {seed}"},
    "it": {"seed", "video", "fps", "seed {seed}", "{seconds} s"},
}
"""English words that are also the word of that language, or of its ComfyUI users."""

TRANSLITERATED: Final = {"zh": {"ByteDance": "字节跳动"}, "zh-TW": {"ByteDance": "字節跳動"}}
"""Names for which a language's ComfyUI has its own writing."""

SCRIPTS: Final = {
    "zh": r"[\u4e00-\u9fff]",
    "zh-TW": r"[\u4e00-\u9fff]",
    "ja": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7a3]",
    "ru": r"[\u0400-\u04ff]",
    "ar": r"[\u0600-\u06ff]",
    "fa": r"[\u0600-\u06ff]",
    "he": r"[\u0590-\u05ff]",
}
MISTAKEN: Final = {
    "zh": "視頻設執載選項這個會從應與開關費種結點",
    "zh-TW": "视频设执载选项这个会从应与开关费种结点",
    "fa": "يكىة",
}
"""Letters of a neighbour's spelling, which slip in where one language is made from the other."""


def test_the_languages_are_those_of_comfyui() -> None:
    assert {folder.name for folder in LOCALES.iterdir()} == set(LANGUAGES)


def test_english_covers_every_node_input_and_output() -> None:
    wanted = {f"nodeDefs.{path}" for name, node in NODES.items() for path in paths(name, node)}
    assert {path for path in texts(ENGLISH) if path.startswith("nodeDefs.")} == wanted


def paths(name: str, node: dict[str, list[dict[str, str]]]) -> set[str]:
    """What ComfyUI looks up for a node; outputs go by their number."""
    sockets = [
        *(f"inputs.{each['name']}" for each in node["inputs"]),
        *(f"outputs.{number}" for number in range(len(node["outputs"]))),
    ]
    own = {f"{name}.display_name", f"{name}.description"}
    return own | {f"{name}.{socket}.{text}" for socket in sockets for text in ("name", "tooltip")}


def test_translations_follow_the_english_of_today() -> None:
    english = hashlib.sha256(json.dumps(texts(ENGLISH)).encode()).hexdigest()
    assert english == TRANSLATED_FROM, "Say in every language what has changed in locales/en, then take this digest."


def test_nothing_is_missing_and_nothing_is_left_over() -> None:
    for language in OTHERS:
        assert list(texts(language)) == list(texts(ENGLISH)), language


def test_nothing_is_left_in_english() -> None:
    english = texts(ENGLISH)
    for language in OTHERS:
        same = {path: text for path, text in texts(language).items() if text == english[path]}
        same.pop("settingsCategories.Seedance")
        assert {text for text in same.values() if has_words(text)} == SAME.get(language, set()), language


def test_every_text_is_in_the_languages_script_and_spelling() -> None:
    for language, script in SCRIPTS.items():
        foreign = {text for text in texts(language).values() if not re.search(script, text) and has_words(text)}
        assert foreign == {"Seedance"} | SAME.get(language, set()), language
    for language, letters in MISTAKEN.items():
        assert {text for text in texts(language).values() if set(text) & set(letters)} == set(), language


def has_words(text: str) -> bool:
    """Whether there is more in it than places, and the marks around them."""
    return re.search(r"\w", PLACEHOLDER.sub("", text)) is not None


def test_placeholders_numbers_and_names_survive() -> None:
    for language in OTHERS:
        translated = texts(language)
        for path, english in texts(ENGLISH).items():
            text, where = translated[path], f"{language} {path}"
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english)), where
            assert set(NUMBER.findall(text)) == set(NUMBER.findall(english)), where
            assert [word for word in unchanging(english, language) if not has(word, text)] == [], where


def unchanging(english: str, language: str) -> list[str]:
    words = [word for word in NAMES | CHOICES if has(word, english)]
    for name, written in TRANSLITERATED.get(language, {}).items():
        words = [word.replace(f"{name} ", f"{written} ") for word in words]
    return words


def has(word: str, text: str) -> bool:
    """Whether it stands there, and not as a part of another Latin word."""
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", text) is not None


def test_texts_are_tidy_and_mean_nothing_to_the_message_compiler() -> None:
    """The UI reads `|`, `@` and braces as syntax; only the pack's own strings have placeholders."""
    for language in LANGUAGES:
        for path, text in texts(language).items():
            where = f"{language} {path}"
            assert not set(text) & set("|@"), where
            assert path.startswith("seedance.") or not set(text) & set("{}"), where
            assert text == text.strip(), where
            assert "  " not in text, where
            if path.endswith((".tooltip", ".description")):
                assert text.endswith((".", "。")), where
