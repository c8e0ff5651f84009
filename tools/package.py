"""Make the zip that the registry would publish, and print what is in it.

The registry's own tool packs what git tracks, less what .comfyignore leaves out. So does this, and it counts files
that git does not know yet as well, so that the list is right before a commit. The same files give the same zip.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from nodes.comfyui.guarded_route import about

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache"
NAME: Final = "seedance"
"""Of the pack in the registry, and of its folder."""
IGNORED: Final = ".comfyignore"
TOO_LARGE: Final = 2_000_000
"""Bytes. The pack is text and a few thumbnails: more than this means that something else got in."""
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""A zip file's earliest date: the files' own would make every zip another one."""


def main() -> int:
    """Make the zip and print its list. Returns the exit code: 1 when it is too large."""
    archive = pack(ROOT, CACHE / f"{NAME}-{about()['version']}.zip")
    with zipfile.ZipFile(archive) as packed:
        for item in packed.infolist():
            print(f"{item.file_size:9,}  {item.filename}")
        print(f"{len(packed.infolist())} files, {sum(item.file_size for item in packed.infolist()):,} bytes;")
    size = archive.stat().st_size
    print(f"{size:,} bytes in {archive}")
    if size > TOO_LARGE:
        print(f"That is more than {TOO_LARGE:,}: leave something out with {IGNORED}.", file=sys.stderr)
        return 1
    return 0


def pack(source: Path, archive: Path) -> Path:
    """Write the zip. Returns its path; raises `subprocess.CalledProcessError` when git fails."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in published(known_files(source), (source / IGNORED).read_text(encoding="utf-8").splitlines()):
            item = zipfile.ZipInfo(name, _LONG_AGO)
            item.compress_type = zipfile.ZIP_DEFLATED
            item.external_attr = 0o644 << 16
            packed.writestr(item, (source / name).read_bytes())
    return archive


def known_files(source: Path) -> list[str]:
    """What git tracks or would with the next `git add`, as paths from the root with forward slashes."""
    command = ["git", "-C", str(source), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    return sorted(name for name in set(listed) if name and (source / name).is_file())


def published(files: Iterable[str], ignored: Iterable[str]) -> list[str]:
    """The files that no pattern of .comfyignore names; the patterns are .gitignore's."""
    from pathspec import GitIgnoreSpec

    left_out = GitIgnoreSpec.from_lines(ignored)
    return [name for name in files if not left_out.match_file(name)]


if __name__ == "__main__":
    sys.exit(main())
