"""Make .venv: all that the tests and the demo need, and nothing outside this folder.

Runs under any Python from 3.10 on, with nothing installed. A second run does nothing until one of its inputs
changes; an interrupted one is taken up again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / ".venv"
PYTHON: Final = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP: Final = FOLDER / ".ready"
DEVELOPMENT: Final = ROOT / "requirements-dev.txt"
COMFYUI: Final = ROOT / "tools" / "comfyui-requirements.txt"
TORCH: Final = "torch==2.13.0"
"""For this folder only: users keep the torch of their ComfyUI."""
SPANDREL: Final = "spandrel==0.4.2"
OLDEST: Final = (3, 10)


def main() -> None:
    """Make it, unless it is up to date."""
    wanted = fingerprint()
    if not STAMP.is_file() or STAMP.read_text() != wanted:
        make_environment()
        STAMP.write_text(wanted)
    STAMP.touch()  # make compares times


def fingerprint() -> str:
    """Changes when .venv has to be brought up to date."""
    digest = hashlib.sha256(sys.version.encode())
    for source in (Path(__file__), DEVELOPMENT, COMFYUI):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def make_environment() -> None:
    """Make or complete .venv. Raises `subprocess.CalledProcessError` when pip fails."""
    if sys.version_info[:2] < OLDEST:
        sys.exit("Python {}.{} or newer is needed.".format(*OLDEST))
    if not runs():
        if importlib.util.find_spec("ensurepip") is None:
            sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv")
        print("Making .venv ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    # torch first and alone, so that nothing else gets to choose its version.
    pip("install", TORCH)
    pip("install", "-r", str(COMFYUI), "-r", str(DEVELOPMENT))
    pip("install", "--no-deps", SPANDREL)
    make_cv2_importable()


def runs() -> bool:
    """Whether there is a .venv of this Python version with a pip in it."""
    version = "{}.{}".format(*sys.version_info[:2])
    question = f"import pip, sys; sys.exit('{version}' != '{{}}.{{}}'.format(*sys.version_info[:2]))"
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", question], check=False, capture_output=True).returncode == 0


def make_cv2_importable() -> None:
    """Take OpenCV's build without windows where the libraries of the usual one are missing."""
    attempt = subprocess.run([PYTHON, "-c", "import cv2"], check=False, capture_output=True, text=True)
    if attempt.returncode == 0:
        return
    reason = (attempt.stderr.strip().splitlines() or ["no reason given"])[-1]
    print(f"opencv-python does not load ({reason}); taking opencv-python-headless instead.", flush=True)
    (requirement,) = (line for line in DEVELOPMENT.read_text().splitlines() if line.startswith("opencv-python=="))
    # Both, since they share one folder: removing either empties it, and pip would think the other complete.
    pip("uninstall", "--yes", "opencv-python", "opencv-python-headless")
    pip("install", requirement.replace("opencv-python", "opencv-python-headless"))
    subprocess.run([PYTHON, "-c", "import cv2"], check=True)


def pip(command: str, *arguments: str) -> None:
    """Say what is done, and do it."""
    print(f"pip {command} {' '.join(Path(argument).name for argument in arguments)}", flush=True)
    subprocess.run([PYTHON, "-m", "pip", command, "--quiet", *arguments], check=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failure:
        sys.exit(f"Setting up .venv failed: {' '.join(map(str, failure.cmd))} ended with {failure.returncode}.")
