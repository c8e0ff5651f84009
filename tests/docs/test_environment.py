"""README.md lists every variable of the environment that the code knows, and none that it does not."""

from __future__ import annotations

import re

from tests.docs.messages import all_texts
from tests.docs.pages import ROOT

OTHERS = {"SEEDANCE_OPTIONS"}
"""What is written like a variable, and is a type of socket."""
STANDARD = {"HTTPS_PROXY", "NO_PROXY"}
"""By `requests`."""


def test_every_variable_has_a_row() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## Environment variables$(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    listed = set(re.findall(r"`([A-Z_]{6,})`", table))
    named = r"(RUNCOMFY|SEEDANCE)_[A-Z_]+|[A-Z]+_API_TOKEN|[A-Z]+_CA_BUNDLE"
    known = {text for text in all_texts() if re.fullmatch(named, text)} - OTHERS
    assert len(known) > 5
    assert listed == known | STANDARD
