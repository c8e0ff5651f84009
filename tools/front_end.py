"""ComfyUI's web UI, which is a package of its own: the version that a ComfyUI asks for, from PyPI."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .wheel import Wheel, unpacked

PACKAGE = "comfyui-frontend-package"
SHA256 = {"1.32.9": "737ea322fcef803635d2c8db7dd93122b381a371a8ef66e42762d355e9913c17"}
"""By version; that of the ComfyUI which `comfyui_source` fetches. Another ComfyUI may ask for any."""


def front_end(core: Path, cache: Path) -> Path:
    """The built UI that the ComfyUI in `core` asks for, downloaded into `cache`, once.

    Raises ValueError when that ComfyUI names none or the download is not the expected file,
    subprocess.CalledProcessError when pip fails.
    """
    version = version_wanted(core)
    wheel = Wheel(f"{PACKAGE}=={version}", SHA256.get(version), "comfyui_frontend_package/static")
    return unpacked(wheel, cache.resolve() / f"front-end-{version}")


def version_wanted(core: Path) -> str:
    """`COMFYUI_FRONT_END` when set, else the version in the ComfyUI's requirements.txt.

    Users may run a newer UI than their ComfyUI asks for. Raises ValueError when there is none.
    """
    if chosen := os.environ.get("COMFYUI_FRONT_END"):
        return chosen
    requirements = (core / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.search(rf"^{PACKAGE}==([0-9][0-9A-Za-z.]*)\s*$", requirements, re.MULTILINE)
    if pinned is None:
        raise ValueError(f"{core / 'requirements.txt'} pins no {PACKAGE}")
    return pinned.group(1)
