"""`make node-diff` loads the pack as node-diff does, without a server; the tool itself is not on PyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools import node_diff

ROOT = Path(node_diff.__file__).resolve().parents[1]
LOADER = """
import importlib.util, sys
for number, folder in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"pack_{number}", f"{folder}/__init__.py")
    pack = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    print(*sorted(pack.NODE_CLASS_MAPPINGS))
"""


def test_both_versions_can_be_loaded(tmp_path: Path) -> None:
    script = tmp_path / "src" / "validate_nodes.py"
    script.parent.mkdir()
    script.write_text(LOADER, encoding="utf-8")
    command = [sys.executable, "-m", "tools.node_diff", str(ROOT), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.splitlines()[-2:]
        == ["LoadSeedanceVideo SeedanceOptions SeedanceTextToVideo SeedanceUpscaleVideo"] * 2
    )
