"""The tests that need no ComfyUI, on every Python that users have and with old libraries: `make versions`.

One of them: `nox -s tests-3.12`, or `nox -s oldest`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).parent))
from tools.environment import TORCH

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
TESTS = (
    *("tests/runcomfy", "tests/video", "tests/jobs", "tests/rehearsal", "tests/faults"),
    *(f"tests/test_{name}.py" for name in ("engine", "files", "http_client", "layers", "other_systems", "portable")),
)
SHIPPED = ("aiohttp", "av", "filelock", "Pillow", "psutil", "pydantic", "SQLAlchemy")
"""What ComfyUI brings of what the tests use, in the newest version."""
OLDEST = ("av==14.2.0", "numpy==1.26.4", "opencv-python==4.10.0.84", "filelock==3.12.0", "SQLAlchemy==2.0.0")
"""What a ComfyUI that is not updated may still have."""

nox.options.envdir = ".cache/nox"
nox.options.reuse_venv = "yes"


@nox.session(python=PYTHONS, venv_backend="venv")
def tests(session: nox.Session) -> None:
    run(session)


@nox.session(python="3.11", venv_backend="venv")
def oldest(session: nox.Session) -> None:
    run(session, *OLDEST)


def run(session: nox.Session, *instead: str) -> None:
    # torch first and alone, so that nothing else gets to choose its version.
    session.install(TORCH)
    session.install("--upgrade", "-r", "requirements-dev.txt", *SHIPPED)
    if instead:
        session.install(*instead)
    # Elsewhere than on Linux some tests have nothing to test, and may be skipped although this is CI.
    session.run("pytest", "-q", *(session.posargs or TESTS), env={} if sys.platform == "linux" else {"CI": ""})
