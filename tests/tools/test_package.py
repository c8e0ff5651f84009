"""What the registry would publish: all that a user needs, nothing else, nothing that a scanner flags."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nodes.comfyui.guarded_route import about
from tools.package import NAME, ROOT, TOO_LARGE, pack

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
FLAGGED = {"eval", "exec", "compile", "__import__", "system", "popen", "Popen"}
"""Calls."""
FLAGGED_MODULES = {"subprocess", "pickle", "marshal", "ctypes"}


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(pack(ROOT, tmp_path_factory.mktemp("package") / "pack.zip"))


def test_all_that_comfyui_reads_is_in_it_and_nothing_else(zipped: zipfile.ZipFile) -> None:
    assert zipped.filename is not None
    assert Path(zipped.filename).stat().st_size < TOO_LARGE
    alone = {"__init__.py", "cli.py", "pyproject.toml", "requirements.txt"}
    alone |= {"README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "docs/servers.md", "docs/trouble.md"}
    folders = ("nodes", "locales", "web", "example_workflows", "subgraphs")
    files = {file.relative_to(ROOT).as_posix() for folder in folders for file in (ROOT / folder).rglob("*.*")}
    assert set(zipped.namelist()) == alone | {name for name in files if "__pycache__" not in name}
    assert not [name for name in files if name.endswith((".mp4", ".webm", ".exe", ".so", ".whl", ".zip"))]


def test_nothing_in_it_is_what_a_scanner_flags(zipped: zipfile.ZipFile) -> None:
    for name in (name for name in zipped.namelist() if name.endswith(".py")):
        for node in ast.walk(ast.parse(zipped.read(name))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name):
                assert called.id not in FLAGGED, name
            elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "os":
                assert called.attr not in FLAGGED, name
            elif isinstance(node, ast.Import):
                assert not {each.name.split(".")[0] for each in node.names} & FLAGGED_MODULES, name
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in FLAGGED_MODULES, name


def test_the_same_files_make_the_same_zip(zipped: zipfile.ZipFile, tmp_path: Path) -> None:
    assert zipped.filename is not None
    assert pack(ROOT, tmp_path / "again.zip").read_bytes() == Path(zipped.filename).read_bytes()


def test_what_stands_in_two_places_is_the_same() -> None:
    changes = re.findall(r"^## (\S+) \(.+\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert changes[0] == about()["version"], "the newest entry of CHANGELOG.md is another version"
    assert f'\nname = "{NAME}"\n' in PROJECT
    (listed,) = re.findall(r"^dependencies = (\[.*\])$", PROJECT, re.MULTILINE)
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8").split() == ast.literal_eval(listed)
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    (tested,) = re.findall(r"^PYTHONS = \((.+)\)$", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    (in_ci,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert re.findall(r'"(.+?)"', tested) == re.findall(r'"(.+?)"', in_ci) == promised
    assert f'requires-python = ">={promised[0]}"' in PROJECT


def test_the_registry_finds_the_pictures() -> None:
    for name, size in {"icon": (400, 400), "banner": (1680, 720)}.items():
        (found,) = re.findall(rf'^{name.title()} = "(.+)"$', PROJECT, re.MULTILINE)
        assert found.endswith(f"/main/docs/{name}.png")
        with Image.open(ROOT / "docs" / f"{name}.png") as picture:
            assert picture.size == size, name
