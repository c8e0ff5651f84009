"""A service of two accounts whose clock stands still until a test turns it, and a client that calls it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from nodes.rehearsal import Timing, VideoRequest
from nodes.rehearsal.server import MODEL_ID
from tests.support.fake_runcomfy import TurningClock
from tests.support.rehearsal import RehearsalService

MODEL_PATH = f"/v1/models/{MODEL_ID}"
SHORT = {"text": "A paper boat", "duration": 2}
OWNER, STRANGER = "first-token", "second-token"


class FakeVideos:
    """Makes "videos" in no time, for tests that do not look at them. Clear `free` to keep them from being finished."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.length = 3000
        """Bytes of a video, at least."""
        self.problem = ""
        """Why the next ones cannot be made; empty if they can."""
        self.begun: list[str] = []
        """The texts, in the order in which they were begun."""

    def make(self, request: VideoRequest, stopped: Callable[[], bool]) -> bytes:
        self.begun.append(request.text)
        while not self.free.wait(0.01) and not stopped():
            pass
        if self.problem:
            raise OSError(self.problem)
        return b"\0\0\0\x18ftyp" + request.text.encode() + bytes(self.length)


class RehearsalClient:
    """Calls as a client makes them, over one kept-alive connection."""

    def __init__(self, service: RehearsalService, clock: TurningClock) -> None:
        self.service = service
        self.clock = clock
        self.session = requests.Session()
        self.session.trust_env = False

    def call(
        self, method: str, path: str, body: object = None, *, data: bytes | None = None, authorization: str | None = ""
    ) -> requests.Response:
        """One call, by the owner unless ``authorization`` is another header's content, or None for no header."""
        headers = {"Authorization": f"Bearer {OWNER}" if authorization == "" else authorization}
        return self.session.request(
            method, self.service.origin + path, json=body, data=data, headers=headers, timeout=30
        )

    def submit(self, body: object = SHORT, token: str = OWNER) -> str:
        reply = self.call("POST", MODEL_PATH, body, authorization=f"Bearer {token}")
        assert reply.status_code == 200, reply.text
        return str(reply.json()["request_id"])

    def status(self, request_id: str) -> dict[str, object]:
        return self._read(f"/v1/requests/{request_id}/status")

    def result(self, request_id: str, query: str = "") -> dict[str, object]:
        return self._read(f"/v1/requests/{request_id}/result{query}")

    def cancel(self, request_id: str) -> requests.Response:
        return self.call("POST", f"/v1/requests/{request_id}/cancel")

    def render(self) -> None:
        """Wait until every video is made or given up."""
        wait_for(lambda: all(job.is_rendered or job.is_cancelled for job in self.service.store.jobs.values()))

    def finish(self, request_id: str) -> dict[str, object]:
        """Let the job end; its result."""
        self.render()
        self.clock.now += 60
        return self.result(request_id)

    def fetch_video(self, request_id: str) -> requests.Response:
        """A succeeded job's video, which takes no token."""
        return requests.get(f"{self.service.origin}/media/{request_id}.mp4", timeout=30)

    def _read(self, path: str) -> dict[str, object]:
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        found = reply.json()
        assert isinstance(found, dict)
        return found


def wait_for(condition: Callable[[], bool]) -> None:
    """For what another thread does meanwhile."""
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.fixture
def videos() -> FakeVideos:
    return FakeVideos()


@pytest.fixture
def client(videos: FakeVideos) -> Iterator[RehearsalClient]:
    """10 s in the queue, 20 s of generating; mere bytes in place of videos."""
    clock, timing = TurningClock(), Timing(queued=10, running=20)
    with RehearsalService(tokens=(OWNER, STRANGER), timing=timing, clock=clock.monotonic, make=videos.make) as service:
        yield RehearsalClient(service, clock)
