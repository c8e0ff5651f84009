"""Which build of OpenCV would be loaded, told from its files alone, and what is to be said about it at the start."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import Final

RIGHT_COLOURS_FROM: Final = (4, 13)
"""Older builds take BT.709 for BT.601; they do right by Seedance's own videos, which are untagged."""
PACKAGES: Final = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""All four install the same folder, cv2, and any of them will do. pip does not know that they collide."""


@dataclass(frozen=True)
class Build:
    """The cv2 that Python would load."""

    whole: bool = True
    """False for what is left of it when one of two packages was removed."""
    version: str = ""
    """Such as `4.13.0.92`; empty where the build does not say."""
    contrib: bool = False


def warn() -> None:
    """Log what is wrong with the OpenCV that is installed, if anything is. Takes milliseconds and loads nothing."""
    if said := advice(find_build(), installed()):
        logging.getLogger("seedance").warning("Seedance: %s", said)


def find_build() -> Build | None:
    """The build that `import cv2` would load; None where there is none."""
    spec = find_spec("cv2")
    if spec is None:
        return None
    if spec.origin is None:  # a folder without code in it
        return Build(whole=False)
    try:
        stated = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return Build()
    number = re.search(r'^opencv_version = "([0-9.]+)"', stated, re.MULTILINE)
    return Build(version=number[1] if number else "", contrib="contrib = True" in stated)


def installed() -> dict[str, str]:
    """The versions of OpenCV's packages, as pip knows them."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            continue
    return found


def advice(build: Build | None, packages: Mapping[str, str]) -> str:
    """What the user should know and do, in a sentence or two; empty where all is well."""
    if build is None:
        return (
            "OpenCV is missing, and no video can be decoded without it. "
            "Install it with ComfyUI's Python: pip install opencv-python"
        )
    if not build.whole:
        names = " ".join(packages) or "opencv-python"
        return (
            "OpenCV is broken: removing one of its packages has emptied the folder that they share. "
            f"Repair it with ComfyUI's Python: pip install --force-reinstall --no-deps {names}"
        )
    overwritten = [name for name, version in packages.items() if not _is(build, name, version)]
    if overwritten and len(packages) > 1:
        lost = overwritten[0]
        return (
            f"{' and '.join(f'{name} {version}' for name, version in packages.items())} overwrite each other: they "
            f"share one folder, in which {build.version} is in use. This pack works with any of them. To bring "
            f"another one back: pip install --force-reinstall --no-deps {lost}=={packages[lost]}"
        )
    if build.version and tuple(map(int, build.version.split(".")[:2])) < RIGHT_COLOURS_FROM:
        return (
            f"OpenCV {build.version} shows videos that are tagged BT.709 in slightly wrong colours. Seedance's own are "
            "not tagged and come out right. OpenCV 4.13 and newer do right by both."
        )
    return ""


def _is(build: Build, package: str, version: str) -> bool:
    """Whether the build serves those who asked for the package; windows are for desktop programs, not for nodes."""
    return not build.version or (build.version == version and build.contrib >= ("contrib" in package))
