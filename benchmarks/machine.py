"""Which machine the figures belong to."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

_PACKAGES: Final = ("opencv-python", "opencv-python-headless", "torch", "numpy", "av")


def describe() -> str:
    """CPU, cores, memory, system, versions and the load of other work, as one line; for a benchmark's start."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    name = model[1] if model else "unknown"
    hardware = f"{name}, {len(os.sched_getaffinity(0))} cores, {psutil.virtual_memory().total / 2**30:.0f} GB"
    kernel = ".".join(platform.release().split(".")[:2])
    system = f"{platform.system()} {kernel}, Python {platform.python_version()}"
    packages = ", ".join(filter(None, map(_package, _PACKAGES)))
    return f"{hardware}; {system}; {packages}; load of other work at the start {os.getloadavg()[0]:.1f}."


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""
