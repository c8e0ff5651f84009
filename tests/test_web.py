"""What the web extension says, against the translations that it is shown in."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
SCRIPTS = sorted(WEB.glob("*.js"))
MAIN = json.loads((ROOT / "locales" / "en" / "main.json").read_text(encoding="utf-8"))
SETTINGS = json.loads((ROOT / "locales" / "en" / "settings.json").read_text(encoding="utf-8"))


def script(name: str) -> str:
    return (WEB / f"{name}.js").read_text(encoding="utf-8")


def english() -> dict[str, str]:
    """The texts that are built into the scripts."""
    found = re.search(r"^const ENGLISH = (\{.*?^\})", script("texts"), re.DOTALL | re.MULTILINE)
    assert found
    texts: dict[str, str] = json.loads(found[1])
    return texts


def literal(key: str, source: str) -> str:
    """The string that a property of an object is given, put together from its parts."""
    found = re.search(rf'{key}:\s*((?:"[^"]*"[\s+]*)+),', source)
    assert found, key
    return "".join(re.findall(r'"([^"]*)"', found[1]))


def test_the_built_in_texts_are_the_english_translation() -> None:
    assert english() == MAIN["seedance"]


def test_every_text_is_used_and_every_used_one_exists() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    said = set(re.findall(r'(?:say|button)\("(\w+)"', code))
    assert said == set(english())


def test_every_placeholder_is_filled_in() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    for key, text in english().items():
        values = " ".join(re.findall(rf'say\("{key}", \{{(.*?)\}}\)', code))
        for placeholder in re.findall(r"\{(\w+)\}", text):
            assert re.search(rf"\b{placeholder}:", values), f"{placeholder} in {key}"


def test_the_setting_is_the_english_translation() -> None:
    (identifier,) = SETTINGS
    source = script("seedance")
    assert literal("id", source).replace(".", "_") == identifier
    assert literal("name", source[source.index("settings:") :]) == SETTINGS[identifier]["name"]
    assert literal("tooltip", source) == SETTINGS[identifier]["tooltip"]
    categories = re.search(r"category: (\[.*\])", source)
    assert categories
    assert json.loads(categories[1])[:2] == list(MAIN["settingsCategories"])


def test_nothing_is_ever_stored_in_the_browser_or_handed_to_comfyuis_settings() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    for keeper in ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "storeSetting", "setting.set"):
        assert keeper not in code
    assert "type: () => tokenPanel()," in code, "the panel is not given the setter"


def test_nothing_is_put_into_the_page_as_html() -> None:
    """Messages quote the service, which may quote anything."""
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in code
