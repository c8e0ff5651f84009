"""What these tests hold in their hands: a clock that they turn, and plain HTTP calls to the service."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import requests

from nodes.rehearsal import RehearsalService
from nodes.rehearsal.render import Stopped
from nodes.rehearsal.scene import Scene

MODEL_PATH = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
SHORT = {"text": "A paper boat", "duration": 2}
OWNER, STRANGER = "first-token", "second-token"


class Stage:
    """Makes "files" in no time, for tests that do not look at them. Hold it to keep them from being finished."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self.length = 3000
        """Bytes of a file, at least."""
        self.filmed: list[str] = []
        """The texts, in the order in which they were begun."""
        self.begun = threading.Event()

    def film(self, scene: Scene, path: Path, stopped: Callable[[], bool]) -> None:
        path.write_bytes(b"unfinished")
        self.filmed.append(scene.text)
        self.begun.set()
        while not self._free.wait(0.05):
            if stopped():
                raise Stopped
        path.write_bytes(b"\0\0\0\x18ftyp" + scene.text.encode("utf-8", "replace") + bytes(self.length))

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()


class HandClock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class HurryingClock(HandClock):
    """One by which whatever anybody waits for is overdue as soon as somebody looks."""

    def __call__(self) -> float:
        self.now += 100
        return self.now


class RehearsalClient:
    """Calls as a client makes them, over one kept-alive connection."""

    def __init__(self, service: RehearsalService, clock: HandClock) -> None:
        self.service = service
        self.clock = clock
        self.session = requests.Session()
        self.session.trust_env = False
        self.port = int(service.origin.rpartition(":")[2])

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = OWNER,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return self.session.request(
            method, self.service.origin + path, json=body, data=data, headers=sent, timeout=30, allow_redirects=False
        )

    def submit(self, body: object = SHORT, token: str = OWNER) -> str:
        reply = self.call("POST", MODEL_PATH, body=body, token=token)
        assert reply.status_code == 200, reply.text
        request_id = reply.json()["request_id"]
        assert isinstance(request_id, str)
        return request_id

    def status(self, request_id: str) -> dict[str, object]:
        return self._read(f"/v1/requests/{request_id}/status")

    def result(self, request_id: str, query: str = "") -> dict[str, object]:
        return self._read(f"/v1/requests/{request_id}/result{query}")

    def cancel(self, request_id: str) -> requests.Response:
        return self.call("POST", f"/v1/requests/{request_id}/cancel")

    def finish(self, request_id: str) -> dict[str, object]:
        """Let the job end; its result."""
        assert self.service.wait_until_rendered()
        self.clock.pass_by(60)
        return self.result(request_id)

    def film(self, request_id: str, **headers: str) -> requests.Response:
        """A succeeded job's video, or a part of it."""
        return self.call("GET", f"/media/{request_id}.mp4", token=None, headers=headers)

    def line(self) -> socket.socket:
        """A connection of its own, on which nothing is said yet."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        # So small that a long film is still being sent when its begin is read.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        return line

    def _read(self, path: str) -> dict[str, object]:
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        found = reply.json()
        assert isinstance(found, dict)
        return found
