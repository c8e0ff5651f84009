"""What is said about the OpenCV that is installed, before it is loaded. Four packages share one folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nodes.video.opencv_build import PACKAGES, Build, advice, find_build, installed

ROOT = Path(__file__).resolve().parents[2]
PLAIN, HEADLESS, CONTRIB, _ = PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_any_one_of_the_four_is_fine(package: str) -> None:
    assert advice(Build(version="4.13.0.92", contrib="contrib" in package), {package: "4.13.0.92"}) == ""


@pytest.mark.parametrize("build", [Build(), Build(version="5.0.0.93")])
def test_one_that_did_not_come_from_pip_is_fine(build: Build) -> None:
    assert advice(build, {}) == ""


def test_without_any_it_says_what_to_install() -> None:
    assert "pip install opencv-python" in advice(None, {})


def test_what_is_left_when_one_of_two_was_removed_is_called_broken() -> None:
    said = advice(Build(whole=False), {HEADLESS: "4.10.0.84"})
    assert "broken" in said
    assert "--force-reinstall --no-deps opencv-python-headless" in said


@pytest.mark.parametrize("version", ["4.5.5.64", "4.12.0.88"])
def test_one_that_is_too_old_for_every_colour_says_from_when_on_all_are_right(version: str) -> None:
    said = advice(Build(version=version), {PLAIN: version})
    assert version in said
    assert "4.13 and newer" in said


def test_two_with_other_versions_name_both_and_the_way_back() -> None:
    said = advice(Build(version="5.0.0.93"), {PLAIN: "5.0.0.93", HEADLESS: "4.10.0.84"})
    assert "opencv-python 5.0.0.93 and opencv-python-headless 4.10.0.84" in said
    assert "opencv-python-headless==4.10.0.84" in said


def test_contributed_modules_that_were_overwritten_are_missed() -> None:
    both = {PLAIN: "5.0.0.93", CONTRIB: "5.0.0.93"}
    assert "opencv-contrib-python==5.0.0.93" in advice(Build(version="5.0.0.93"), both)
    assert advice(Build(version="5.0.0.93", contrib=True), both) == ""


def test_two_of_one_version_that_differ_in_windows_only_are_fine() -> None:
    assert advice(Build(version="4.13.0.92"), {PLAIN: "4.13.0.92", HEADLESS: "4.13.0.92"}) == ""


def test_it_reads_what_is_installed_here() -> None:
    packages, build = installed(), find_build()
    assert build is not None
    assert build.whole
    assert build.version in packages.values()


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, "None"),
        ({"cv2/ml/__init__.py": ""}, "Build(whole=False, version='', contrib=False)"),
        ({"cv2/__init__.py": ""}, "Build(whole=True, version='', contrib=False)"),
        (
            {"cv2/__init__.py": "", "cv2/version.py": 'opencv_version = "4.12.0.88"\ncontrib = True\nheadless = True'},
            "Build(whole=True, version='4.12.0.88', contrib=True)",
        ),
    ],
    ids=["none", "emptied", "silent", "contrib"],
)
def test_it_tells_folders_apart_without_loading_them(tmp_path: Path, files: dict[str, str], found: str) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    # -S leaves out site-packages, so that no other OpenCV is there.
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        "from nodes.video.opencv_build import find_build\n"
        "print(find_build(), 'cv2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{found} False"
