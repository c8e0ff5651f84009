"""Which web UI a ComfyUI gets. Nothing is downloaded here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.comfyui import CACHE
from tools.comfyui_source import ensure
from tools.front_end import SHA256, front_end, version_wanted


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs these tests may have chosen a UI."""
    monkeypatch.delenv("COMFYUI_FRONT_END", raising=False)


def core_asking_for(requirements: str, folder: Path) -> Path:
    folder.mkdir()
    (folder / "requirements.txt").write_text(requirements)
    return folder


def test_the_version_is_the_one_that_the_core_pins(tmp_path: Path) -> None:
    core = core_asking_for("comfyui-frontend-package==1.32.9\ntorch\n", tmp_path / "core")
    assert version_wanted(core) == "1.32.9"


def test_a_choice_of_the_callers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_FRONT_END", "1.58.1")
    assert version_wanted(core_asking_for("comfyui-frontend-package==1.32.9\n", tmp_path / "core")) == "1.58.1"


def test_a_core_that_pins_none_is_an_error(tmp_path: Path) -> None:
    core = core_asking_for("torch\n# comfyui-frontend-package==1.0.0\n", tmp_path / "core")
    with pytest.raises(ValueError, match="pins no comfyui-frontend-package"):
        version_wanted(core)


def test_the_checksum_of_the_usual_cores_ui_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    assert version_wanted(ensure(CACHE)) in SHA256


def test_another_file_than_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[str], *, check: bool) -> None:
        folder = Path(command[command.index("--dest") + 1])
        (folder / "comfyui_frontend_package-1.32.9-py3-none-any.whl").write_bytes(b"not it")

    monkeypatch.setattr("subprocess.run", pip)
    cache = tmp_path / "cache"
    with pytest.raises(ValueError, match="SHA-256"):
        front_end(core_asking_for("comfyui-frontend-package==1.32.9\n", tmp_path / "core"), cache)
    assert list(cache.iterdir()) == []
