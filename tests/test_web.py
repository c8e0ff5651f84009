"""What the web extension says, against the translations that it is shown in."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
SCRIPTS = sorted(WEB.glob("*.js"))
MAIN = json.loads((ROOT / "locales" / "en" / "main.json").read_text(encoding="utf-8"))


def test_every_text_is_used_and_every_used_one_exists() -> None:
    """By the scripts or, of what happens to a job, by the server; folders of texts are the server's own."""
    english = {key for key, text in MAIN["seedance"].items() if isinstance(text, str)}
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    server = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "nodes").rglob("*.py"))
    assert set(re.findall(r'(?:say|button)\("(\w+)"', code)) <= english
    # Some keys are put together, of two alternatives or from a state.
    made = [*re.findall(r"say\(`([^`]*)`", code), "stopped${outcome}"]
    patterns = [re.sub(r'\$\{\w+ \? "(\w+)" : "(\w+)"\}', r"(\1|\2)", each) for each in made]
    patterns = [re.sub(r"\$\{.*?\}", r"\\w+", each) for each in patterns]
    quoted = set(re.findall(r'"(\w+)"', code + server))
    unused = {key for key in english - quoted if not any(re.fullmatch(each, key) for each in patterns)}
    assert not unused


def test_no_secret_is_stored_in_the_browser_or_handed_to_comfyuis_settings() -> None:
    for file in SCRIPTS:
        code = file.read_text(encoding="utf-8")
        for keeper in ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "storeSetting", "setting.set"):
            # What nodes show is kept there, for a reload.
            assert keeper not in code or (file.name, keeper) == ("memory.js", "localStorage"), file.name
    assert "type: () => panel(language)," in (WEB / "seedance.js").read_text(encoding="utf-8"), "not given the setter"
    assert "memory" not in (WEB / "token_panel.js").read_text(encoding="utf-8")


def test_nothing_is_put_into_the_page_as_html() -> None:
    """Messages quote the service, which may quote anything."""
    code = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in code
