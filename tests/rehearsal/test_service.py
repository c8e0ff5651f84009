"""The service as a thing on this machine: its address, its manners, its end."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.rehearsal.conftest import MODEL_PATH, OWNER, FakeVideos, RehearsalClient, wait_for

ROOT = Path(__file__).resolve().parents[2]


def test_it_listens_on_loopback_only(client: RehearsalClient) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", client.service.origin)
    other = socket.socket()
    other.settimeout(5)  # macOS has no such address, and says nothing
    with other, pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        other.connect(("127.0.0.2", int(client.service.origin.rpartition(":")[2])))


def test_it_prints_nothing_and_logs_neither_tokens_nor_what_clients_do_wrong(
    client: RehearsalClient, videos: FakeVideos, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    videos.length = 16 * 2**20
    job = client.submit()
    client.call("GET", "/nowhere")
    client.call("POST", MODEL_PATH, data=b"no json")
    client.finish(job)
    with requests.get(f"{client.service.origin}/media/{job}.mp4", stream=True, timeout=30) as stopped:
        next(stopped.iter_content(1000))
    videos.free.clear()
    client.submit({"text": "under way at the end"})
    wait_for(lambda: len(videos.begun) == 2)
    client.service.stop()
    assert OWNER not in caplog.text
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    assert capfd.readouterr() == ("", "")


def test_stop_ends_connections_and_what_is_being_made(client: RehearsalClient, videos: FakeVideos) -> None:
    videos.free.clear()
    for number in range(5):
        client.submit({"text": f"{number}"})
    wait_for(lambda: len(videos.begun) == 2)
    client.service.stop()
    client.service.stop()
    assert len(videos.begun) == 2
    with pytest.raises(requests.ConnectionError):
        client.call("GET", MODEL_PATH)


@pytest.mark.skipif(os.name == "nt", reason="there, a process cannot be forbidden to write files")
def test_videos_are_made_without_files() -> None:
    """So that none is left behind, however it ends."""
    code = """
import resource
from nodes.rehearsal.render import VideoRequest, render
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
print(len(render(VideoRequest(text="A paper boat", duration=2))) > 10_000)
"""
    assert python(code) == (0, "True\n", "")


def test_the_interpreters_end_does_not_wait_for_videos() -> None:
    code = """
from nodes.rehearsal.jobs import JobStore, Timing, VideoRequest
store = JobStore(Timing())
jobs = [store.submit(VideoRequest(text=f"{number}", resolution="1080p", duration=12)) for number in range(500)]
"""
    assert python(code) == (0, "", "")


def python(code: str) -> tuple[int, str, str]:
    """How a process ends that runs this, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-Bc", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr
