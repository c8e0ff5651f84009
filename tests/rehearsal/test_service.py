"""The service as a thing on this machine: its address, its manners, its end."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import requests

from nodes.rehearsal import DEFAULT_TOKEN, RehearsalService
from nodes.rehearsal import render as footage_module
from nodes.rehearsal import server as wire
from nodes.rehearsal.server import MAX_BODY
from tests.support.rehearsal_client import MODEL_PATH, OWNER, HandClock, RehearsalClient, Stage

ROOT = Path(__file__).resolve().parents[2]


def test_it_listens_on_loopback_only(client: RehearsalClient) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", client.service.origin)
    other = socket.socket()
    other.settimeout(5)  # macOS has no such address, and says nothing
    with other, pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        other.connect(("127.0.0.2", int(client.service.origin.rsplit(":", 1)[1])))


def test_a_connection_is_kept_through_refusals(client: RehearsalClient) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(client.service.origin.rsplit(":", 1)[1]), timeout=30)
    sockets = set()
    for method, path, body in (
        ("POST", MODEL_PATH, b'{"text": "x"}'),
        ("POST", "/nowhere", b"x" * 1000),
        ("HEAD", "/nowhere", None),
        ("GET", MODEL_PATH, None),
    ):
        connection.request(method, path, body)
        connection.getresponse().read()
        sockets.add(connection.sock)
    assert len(sockets) == 1
    assert None not in sockets
    connection.close()


def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(client: RehearsalClient) -> None:
    reply = client.call("POST", MODEL_PATH, data=b" " * (MAX_BODY + 1))
    assert (reply.status_code, reply.headers["Connection"]) == (413, "close")
    pieces = requests.post(client.service.origin + MODEL_PATH, data=iter([b"{}"]), timeout=30)
    assert pieces.status_code == 411
    assert client.service.submissions == ()


def test_a_body_cut_short_is_not_taken_for_an_order(client: RehearsalClient) -> None:
    with socket.create_connection(("127.0.0.1", int(client.service.origin.rsplit(":", 1)[1])), timeout=30) as line:
        head = f"POST {MODEL_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OWNER}\r\nContent-Length: 99\r\n\r\n"
        line.sendall(head.encode() + b'{"text": "x"}')
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert client.service.submissions == ()


def test_it_prints_nothing(filming_desk: RehearsalClient, capfd: pytest.CaptureFixture[str]) -> None:
    client = filming_desk
    client.submit()
    client.call("GET", "/nowhere")
    client.call("POST", MODEL_PATH, data=b"no json")
    with socket.create_connection(("127.0.0.1", int(client.service.origin.rsplit(":", 1)[1]))) as line:
        line.sendall(b"nonsense\r\n\r\n")
        line.recv(1000)
    assert client.service.wait_until_rendered()
    assert capfd.readouterr() == ("", "")


def test_a_client_that_breaks_off_is_no_event(
    client: RehearsalClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broke = threading.Event()
    monkeypatch.setattr(wire.log, "debug", lambda said, *_, **__: broke.set() if said == "A connection broke" else None)
    with socket.create_connection(("127.0.0.1", int(client.service.origin.rsplit(":", 1)[1])), timeout=30) as line:
        line.sendall(f"POST {MODEL_PATH} HTTP/1.1\r\nContent-Length: 99\r\n\r\n".encode() + b"{")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert broke.wait(30)
    assert capfd.readouterr() == ("", "")


def test_the_token_is_not_logged(client: RehearsalClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    client.submit()
    assert MODEL_PATH in caplog.text
    assert OWNER not in caplog.text


def test_stop_ends_kept_connections(client: RehearsalClient) -> None:
    assert client.call("GET", MODEL_PATH).status_code == 200
    client.service.stop()
    client.service.stop()
    with pytest.raises(requests.ConnectionError):
        client.call("GET", MODEL_PATH)
    with pytest.raises(RuntimeError):
        client.service.start()


def test_stop_gives_up_what_is_being_made(
    client: RehearsalClient, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stage.hold()
    client.submit()
    assert stage.begun.wait(60)
    assert list(tmp_path.iterdir())
    client.service.stop()
    assert list(tmp_path.iterdir()) == []


def test_footage_that_cannot_be_made_fails_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(footage_module, "render", broken)
    clock = HandClock()
    with RehearsalService(tokens=(OWNER,), clock=clock) as service:
        client = RehearsalClient(service, clock)
        result = client.finish(client.submit())
    assert result["status"] == "failed"
    assert "disk full" in str(result["error"])


def test_it_has_no_address_before_it_starts() -> None:
    service = RehearsalService()
    with pytest.raises(RuntimeError):
        _ = service.origin
    service.stop()


def test_the_command_serves_and_says_where() -> None:
    command = [sys.executable, "-m", "nodes.rehearsal", "--token", "by-hand"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            origin = process.stdout.readline().strip()
            for token, status in (("by-hand", 200), (DEFAULT_TOKEN, 401)):
                headers = {"Authorization": f"Bearer {token}"}
                assert requests.get(origin + MODEL_PATH, headers=headers, timeout=30).status_code == status
            if sys.platform != "win32":  # which cannot send Ctrl+C to another process
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=30) == 0
        finally:
            process.kill()


def test_importing_it_brings_in_no_heavy_library() -> None:
    code = "import sys, nodes.rehearsal; print(sorted({'cv2', 'av', 'numpy', 'PIL', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
