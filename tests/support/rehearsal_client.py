"""Plain HTTP calls to a rehearsal service, and videos that take no time."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping

import requests

from nodes.rehearsal import VideoRequest
from nodes.rehearsal.render import RenderingStopped
from tests.support.fake_runcomfy import TurningClock
from tests.support.rehearsal import RehearsalService

MODEL_PATH = "/v1/models/bytedance/seedance-1-0/pro/fast/text-to-video"
SHORT = {"text": "A paper boat", "duration": 2}
OWNER, STRANGER = "first-token", "second-token"


class FakeVideos:
    """Makes "videos" in no time, for tests that do not look at them. Hold it to keep them from being finished."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self._changed = threading.Condition()
        self.length = 3000
        """Bytes of a video, at least."""
        self.problem = ""
        """Why the next ones cannot be made; empty if they can."""
        self.begun: list[str] = []
        """The texts, in the order in which they were begun."""

    def make(self, request: VideoRequest, stopped: Callable[[], bool]) -> bytes:
        with self._changed:
            self.begun.append(request.text)
            self._changed.notify_all()
        while not self._free.wait(0.01):
            if stopped():
                raise RenderingStopped
        if self.problem:
            raise OSError(self.problem)
        return b"\0\0\0\x18ftyp" + request.text.encode() + bytes(self.length)

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    def wait_until_begun(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= count, 60)


class RehearsalClient:
    """Calls as a client makes them, over one kept-alive connection."""

    def __init__(self, service: RehearsalService, clock: TurningClock) -> None:
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
        self.clock.now += 60
        return self.result(request_id)

    def fetch_video(self, request_id: str, **headers: str) -> requests.Response:
        """A succeeded job's video, or a part of it."""
        return self.call("GET", f"/media/{request_id}.mp4", token=None, headers=headers)

    def say(self, sent: bytes, *, end: bool = False, read: int = 2**30, reset: bool = False) -> bytes:
        """What raw bytes on a connection of their own are answered, until it ends or ``read`` bytes are there.

        ``end``: nothing follows them. ``reset``: the connection ends as that of a crashed machine.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line, line.makefile("rb") as answer:
            line.sendall(sent)
            if end:
                line.shutdown(socket.SHUT_WR)
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return answer.read(read)

    def _read(self, path: str) -> dict[str, object]:
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        found = reply.json()
        assert isinstance(found, dict)
        return found
