"""The two lists of what users install say the same, and .venv is only remade when its inputs change."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools import environment

ROOT = Path(environment.__file__).parent.parent


def test_requirements_txt_is_in_step_with_pyproject() -> None:
    listed = re.search(r"^dependencies = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert listed is not None
    assert (ROOT / "requirements.txt").read_text().split() == ast.literal_eval(listed.group(1))


def test_a_second_set_up_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".ready")
    monkeypatch.setattr(environment, "make_environment", lambda: made.append(environment.fingerprint()))
    environment.main()
    environment.main()
    assert len(made) == 1


def test_a_changed_list_sets_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "requirements-dev.txt"
    tools.write_text("ruff==1\n")
    monkeypatch.setattr(environment, "DEVELOPMENT", tools)
    before = environment.fingerprint()
    tools.write_text("ruff==2\n")
    assert environment.fingerprint() != before
