"""`make comfyui`: it comes up with the real web UI and this pack, and Ctrl-C ends all of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tools import try_comfyui
from tools.comfyui import free_port

ROOT = Path(try_comfyui.__file__).resolve().parents[1]
DEADLINE = 60.0  # seconds


def started(port: int, base: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tools.try_comfyui", "--port", str(port), "--base", str(base)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_it_comes_up_with_the_pack_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port = free_port()
    with started(port, tmp_path) as process, closing(requests.Session()) as session:
        try:
            assert process.stdout is not None
            opened = next(line for line in process.stdout if line.startswith("Open "))
            url = opened.split()[1]
            assert url == f"http://127.0.0.1:{port}"
            session.trust_env = False
            assert "assets/index" in session.get(url, timeout=DEADLINE).text
            assert session.get(f"{url}/object_info/SeedanceTextToVideo", timeout=DEADLINE).json()
            os.killpg(process.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches the server as well
            printed, complaints = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert (process.returncode, complaints) == (0, "")
    assert "Stopped" in printed
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
