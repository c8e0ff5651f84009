"""What Linux allows and Windows or macOS do not, held as far as one machine can."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from nodes import files
from nodes.jobs.waiting import Clock

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "nodes").rglob("*.py"))

NOT_EVERYWHERE = {
    "os": {
        *("chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups"),
        *("getloadavg", "getpgid", "getsid", "getuid", "killpg", "lchown", "lockf", "mkfifo", "mknod", "nice"),
        *("posix_fadvise", "posix_fallocate", "pread", "preadv", "pwrite", "sched_getaffinity", "sendfile", "setpgid"),
        *("setsid", "setuid", "splice", "statvfs", "sync", "sysconf", "uname", "wait", "waitpid"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH", "O_SYNC", "O_TMPFILE"),
        *("symlink", "link"),  # there, but not allowed to everybody
    },
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause", "setitimer"},
    "socket": {"AF_UNIX", "SO_REUSEPORT", "fromfd", "socketpair"},
    "ctypes": {"CDLL", "windll"},
    "time": {"clock_gettime", "tzset"},
    "asyncio": {"open_unix_connection", "start_unix_server"},
}
MODULES_NOT_EVERYWHERE = {"fcntl", "grp", "msvcrt", "posix", "pty", "pwd", "resource", "termios", "tty", "winreg"}

WITH_AN_ALTERNATIVE = {
    ("nodes/files.py", "os.O_DIRECTORY"): "test_without_open_folders_a_name_is_just_not_synced",
    ("nodes/files.py", "fcntl"): "test_a_mac_is_asked_to_empty_its_drives_own_memory_too",
    ("nodes/jobs/waiting.py", "time.clock_gettime"): "test_elsewhere_than_on_linux_another_clock_counts_sleep",
}
"""The tests, in this file, that do without."""


def test_nothing_is_used_that_only_some_systems_have() -> None:
    used = {
        (file.relative_to(ROOT).as_posix(), found)
        for file in FILES
        for found in special(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert used == set(WITH_AN_ALTERNATIVE)
    assert set(WITH_AN_ALTERNATIVE.values()) <= set(globals()), "each alternative is tested"


def special(tree: ast.AST) -> Iterator[str]:
    """What a module uses that is not on every system, as `module.name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in NOT_EVERYWHERE.get(node.value.id, ()):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES_NOT_EVERYWHERE)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module in MODULES_NOT_EVERYWHERE:
                yield node.module
            taken = NOT_EVERYWHERE.get(node.module or "", ())
            yield from (f"{node.module}.{name.name}" for name in node.names if name.name in taken)


def test_without_open_folders_a_name_is_just_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    monkeypatch.delattr(os, "O_DIRECTORY", raising=False)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("Windows cannot open a folder"))
    files.replace(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").exists()


def test_a_mac_is_asked_to_empty_its_drives_own_memory_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    fcntl = SimpleNamespace(F_FULLFSYNC=51, fcntl=lambda handle, what: asked.append(what))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "fcntl", fcntl)
    with (tmp_path / "file").open("wb") as file:
        files.sync(file)
    assert asked == [51]


def test_elsewhere_than_on_linux_another_clock_counts_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.delattr(time, "clock_gettime", raising=False)
    for system, same in (("darwin", time.time), ("win32", time.monotonic)):
        monkeypatch.setattr(sys, "platform", system)
        before = same()
        assert before <= Clock().with_sleep() <= same(), system


def test_no_file_of_this_project_has_a_name_that_another_system_refuses() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout.split("\0")
    names = [name for name in listed if name]
    assert len({name.lower() for name in names}) == len(names), "two differ in case only"
    for name in names:
        assert not set(name) & set('<>:"|?*\\'), name
        assert len(name) < 120, f"{name} would be too long below a deep folder of Windows"
        for part in name.split("/"):
            assert part == part.rstrip(" ."), name
            assert part.partition(".")[0].lower() not in {"con", "prn", "aux", "nul"}, name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux' /proc tells which files are open")
def test_no_open_file_is_removed_or_replaced(tmp_path: Path) -> None:
    """Holds in every test of the folders that `conftest.STRICT` names, so that those can fail."""
    with (tmp_path / "a").open("wb"), pytest.raises(PermissionError):
        (tmp_path / "a").replace(tmp_path / "b")
    with (tmp_path / "b").open("wb"), pytest.raises(PermissionError):
        (tmp_path / "b").unlink()
    (tmp_path / "a").replace(tmp_path / "b")
