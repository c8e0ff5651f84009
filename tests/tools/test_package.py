"""What the registry would publish: all that a user needs, nothing else, and the same zip every time."""

from __future__ import annotations

import ast
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from nodes.comfyui.routes import about
from tools import artwork
from tools.package import NAME, ROOT, TOO_LARGE, pack

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
LEFT_OUT = {"Makefile", ".comfyignore", ".github/workflows/tests.yml", "tools/package.py", "noxfile.py"}


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(pack(ROOT, tmp_path_factory.mktemp("package") / "pack.zip"))


def test_it_is_small_and_has_nothing_else_in_it(zipped: zipfile.ZipFile) -> None:
    assert zipped.filename is not None
    assert Path(zipped.filename).stat().st_size < TOO_LARGE
    inside = zipped.namelist()
    assert not [name for name in inside if name.startswith((".", "tests/", "tools/", "benchmarks/", "docs/"))]
    assert not LEFT_OUT & set(inside)


def test_all_that_comfyui_reads_is_in_it(zipped: zipfile.ZipFile) -> None:
    inside = set(zipped.namelist())
    assert {"__init__.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE", "CHANGELOG.md"} <= inside
    for folder in ("nodes", "locales", "web", "example_workflows", "subgraphs"):
        files = {file.relative_to(ROOT).as_posix() for file in (ROOT / folder).rglob("*") if file.is_file()}
        assert {name for name in files if "__pycache__" not in name} <= inside, folder


def test_every_module_that_the_code_imports_is_in_it(zipped: zipfile.ZipFile) -> None:
    inside = set(zipped.namelist())
    for name in (name for name in inside if name.endswith(".py")):
        package = Path(name).parent
        for node in ast.walk(ast.parse(zipped.read(name))):
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                module = Path(*package.parts[: len(package.parts) - node.level + 1], *node.module.split("."))
                assert {f"{module.as_posix()}.py", f"{module.as_posix()}/__init__.py"} & inside, f"{name}: {module}"


def test_what_git_ignores_or_comfyignore_names_stays_out_and_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    source = tmp_path / "pack"
    files = {".comfyignore": "/*\n!/nodes\n!/a.py\n", ".gitignore": "*.log\n"}
    for name in (*files, "a.py", "b.py", "nodes/x.log", "nodes/y.py", "deep/nodes/z.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(files.get(name, name), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(source)], check=True)
    one, other = (pack(source, tmp_path / name) for name in ("1.zip", "2.zip"))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as packed:
        assert packed.namelist() == ["a.py", "nodes/y.py"]


def test_what_stands_in_two_places_is_the_same() -> None:
    changes = re.findall(r"^## (\S+) \(.+\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert changes[0] == about().version, "the newest entry of CHANGELOG.md is another version"
    assert f'\nname = "{NAME}"\n' in PROJECT
    (listed,) = re.findall(r"^dependencies = (\[.*\])$", PROJECT, re.MULTILINE)
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8").split() == ast.literal_eval(listed)
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    (tested,) = re.findall(r"^PYTHONS = \((.+)\)$", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    (in_ci,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert re.findall(r'"(.+?)"', tested) == re.findall(r'"(.+?)"', in_ci) == promised
    assert f'requires-python = ">={promised[0]}"' in PROJECT


def test_the_registry_finds_the_pictures() -> None:
    for name, size in {"icon": artwork.ICON, "banner": artwork.BANNER}.items():
        (found,) = re.findall(rf'^{name.title()} = "(.+)"$', PROJECT, re.MULTILINE)
        assert found.endswith(f"/main/docs/{name}.png")
        with Image.open(ROOT / "docs" / f"{name}.png") as picture:
            assert picture.size == size, name
    assert abs(artwork.BANNER[0] / artwork.BANNER[1] - 21 / 9) < 0.01
