"""Ask the registry's own tool, comfy-cli, whether it would take this pack, and compare what it would publish.

comfy-cli gets an environment of its own in .cache (about 340 MB) and a fresh repository with this folder's files, so
that files not committed yet count, and nothing is written here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Final

from .package import CACHE, ROOT, known_files, pack

COMFY_CLI: Final = "comfy-cli==1.23.0"
ENVIRONMENT: Final = CACHE / COMFY_CLI.replace("==", "-")
PYTHON: Final = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
QUIET: Final = ("--skip-prompt", "--no-enable-telemetry")
ACCEPTED: Final = "All validation checks passed"
WARNINGS: Final = ("Warning", "Error", "Security warnings")
"""Words with which it speaks of what it publishes all the same."""


def main() -> int:
    """Print what comfy-cli says. Returns the exit code."""
    install()
    with tempfile.TemporaryDirectory(prefix="seedance-") as scratch:
        source, ours = Path(scratch, "pack"), Path(scratch, "ours.zip")
        copy_repository(source)
        said = comfy(source, "node", "validate")
        print(said)
        if ACCEPTED not in said or any(word in said for word in WARNINGS):
            return 1
        comfy(source, "node", "pack")
        differing = names(pack(ROOT, ours)) ^ names(source / "node.zip")
    for name in sorted(differing):
        print(f"Only one of comfy-cli and tools/package.py publishes {name}.", file=sys.stderr)
    return 1 if differing else 0


def install() -> None:
    """Make the environment unless it is there. Raises `subprocess.CalledProcessError` when pip fails."""
    if not (ENVIRONMENT / "ready").exists():
        print(f"Installing {COMFY_CLI} in {ENVIRONMENT.relative_to(ROOT)} ...", flush=True)
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", COMFY_CLI], check=True)
        (ENVIRONMENT / "ready").touch()


def copy_repository(target: Path) -> None:
    """Copy what git knows of this folder into a repository that tracks all of it."""
    for name in known_files(ROOT):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    subprocess.run(["git", "init", "--quiet"], cwd=target, check=True)  # noqa: S607 - the git that is in use
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)  # noqa: S607


def comfy(folder: Path, *arguments: str) -> str:
    """What a command of comfy-cli prints. Raises `subprocess.CalledProcessError` when it fails."""
    home = folder.parent / "home"  # where it would keep settings
    command: list[str | Path] = [PYTHON, "-m", "comfy_cli", *QUIET, *arguments]
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    environment["APPDATA"] = environment["LOCALAPPDATA"] = environment["USERPROFILE"] = str(home)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    done.check_returncode()
    return done.stdout.strip()


def names(archive: Path) -> set[str]:
    """What is in a zip."""
    with zipfile.ZipFile(archive) as packed:
        return set(packed.namelist())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{' '.join(map(str, failure.cmd))} ended with {failure.returncode}.")
