"""What the registry would publish: all that a user needs, nothing else, and the same zip every time."""

from __future__ import annotations

import ast
import re
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from nodes.comfyui.settings import about
from tools import artwork
from tools.package import NAME, ROOT, TOO_LARGE, pack, published

LEFT_OUT = (
    "Makefile",
    ".comfyignore",
    ".github/workflows/tests.yml",
    "tests/conftest.py",
    "tools/package.py",
    "noxfile.py",
)


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(pack(ROOT, tmp_path_factory.mktemp("package") / "pack.zip"))


def test_it_is_small(zipped: zipfile.ZipFile) -> None:
    assert zipped.filename is not None
    assert Path(zipped.filename).stat().st_size < TOO_LARGE


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


def test_nothing_else_is_in_it(zipped: zipfile.ZipFile) -> None:
    assert not [
        name for name in zipped.namelist() if name.startswith((".", "tests/", "tools/", "benchmarks/", "docs/"))
    ]
    assert not set(LEFT_OUT) & set(zipped.namelist())


def test_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    repository(tmp_path / "pack", {".comfyignore": "", "a.py": "a", "b/c.py": "c"})
    one, other = (pack(tmp_path / "pack", tmp_path / name).read_bytes() for name in ("1.zip", "2.zip"))
    assert one == other


def test_what_git_ignores_or_comfyignore_names_stays_out(tmp_path: Path) -> None:
    files = {
        ".comfyignore": "/*\n!/nodes\n!/a.py\n",
        ".gitignore": "*.log\n",
        "a.py": "",
        "b.py": "",
        "nodes/x.log": "",
    }
    repository(tmp_path / "pack", files | {"nodes/y.py": "", "deep/nodes/z.py": ""})
    with zipfile.ZipFile(pack(tmp_path / "pack", tmp_path / "pack.zip")) as packed:
        assert packed.namelist() == ["a.py", "nodes/y.py"]


@pytest.mark.parametrize(
    ("ignored", "left"),
    [([], ["a.py", "b/c.py"]), (["b/"], ["a.py"]), (["*", "!b", "!b/*"], ["b/c.py"]), (["# a.py"], ["a.py", "b/c.py"])],
)
def test_the_patterns_are_those_of_git(ignored: Sequence[str], left: Sequence[str]) -> None:
    assert published(["a.py", "b/c.py"], ignored) == left


def test_the_version_is_in_one_place() -> None:
    changes = re.findall(r"^## (\S+) \(.+\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert changes[0] == about().version, "the newest entry of CHANGELOG.md is another version"


def test_the_name_is_the_projects() -> None:
    assert f'\nname = "{NAME}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "size"), [("icon", artwork.ICON), ("banner", artwork.BANNER)])
def test_the_registry_finds_the_pictures(name: str, size: tuple[int, int]) -> None:
    found = re.search(
        rf'^{name.title()} = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found is not None
    assert found[1].endswith(f"/main/docs/{name}.png")
    with Image.open(ROOT / "docs" / f"{name}.png") as picture:
        assert picture.size == size
    assert abs(artwork.BANNER[0] / artwork.BANNER[1] - 21 / 9) < 0.01


def test_what_the_pythons_are_is_said_alike() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', settings)
    (tested,) = re.findall(r"^PYTHONS = \((.+)\)$", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    (in_ci,) = re.findall(r"python: \[(.+)\]", (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert re.findall(r'"(.+?)"', tested) == re.findall(r'"(.+?)"', in_ci) == promised
    assert f'requires-python = ">={promised[0]}"' in settings


def repository(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
