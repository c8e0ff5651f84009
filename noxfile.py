"""The rooms' tests, without ComfyUI, on every Python that users have: `make versions`, or `nox -s rooms-3.12`."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).parent))
from tools.environment import TORCH

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
ROOMS = (
    *("tests/runcomfy", "tests/video", "tests/jobs", "tests/rehearsal", "tests/faults"),
    *("tests/test_engine.py", "tests/test_layers.py", "tests/test_http_client.py", "tests/test_portable.py"),
)
SHIPPED = ("av>=14.2", "Pillow", "psutil")
"""What ComfyUI brings of what the rooms use; tools/comfyui-requirements.txt has the rest of it."""

nox.options.envdir = ".cache/nox"
nox.options.reuse_venv = "yes"


@nox.session(python=PYTHONS, venv_backend="venv")
def rooms(session: nox.Session) -> None:
    # torch first and alone, so that nothing else gets to choose its version.
    session.install(TORCH)
    session.install("-r", "requirements-dev.txt", *SHIPPED)
    # Elsewhere than on Linux some tests have nothing to test, and may be skipped although this is CI.
    session.run("pytest", "-q", *(session.posargs or ROOMS), env={} if sys.platform == "linux" else {"CI": ""})
