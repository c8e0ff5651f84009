"""One measurement, in a process of its own: memory that one way leaves behind must not help or hurt the next."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from .decoders import PREPARE, Way

ROOT: Final = Path(__file__).resolve().parent.parent
KILLED: Final = -9


@dataclass(frozen=True)
class Sample:
    """What one way took for one file."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all threads."""
    peak: int
    """Bytes of memory, over what the process had after its imports."""
    shape: tuple[int, ...]
    """Of the tensor."""


def measure(way: Way, file: Path, core: Path) -> Sample | None:
    """Run a way once. None if the system ended it for lack of memory.

    Args:
        core: ComfyUI's folder.
    """
    search_path = [str(ROOT)]
    if way is Way.CORE:
        search_path += [str(ROOT / "tools" / "import_stubs"), str(core)]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", way.name, str(file)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    if run.returncode == KILLED:
        return None
    run.check_returncode()
    values = json.loads(run.stdout.splitlines()[-1])
    return Sample(**values | {"shape": tuple(values["shape"])})


def _here(way: Way, file: Path) -> Sample:
    # Should memory run out, the system is to end this process and no other.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    load = PREPARE[way]()
    before = psutil.Process().memory_info().rss
    wall, cpu = time.perf_counter(), time.process_time()
    images = load(file)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return Sample(wall, cpu, peak, tuple(images.shape))


if __name__ == "__main__":
    print(json.dumps(asdict(_here(Way[sys.argv[1]], Path(sys.argv[2])))))
