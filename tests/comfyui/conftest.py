"""A real ComfyUI with the pack in it, talking to a local RunComfy whose records the tests can read."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from nodes.rehearsal import JobState, Timing
from tests.comfyui import seedance_graphs
from tests.comfyui.graphs import ApiGraph
from tests.support.rehearsal import RehearsalService, Submission
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Refused, Run, Status
from tools.comfyui_events import PROGRESS_TEXT, Event
from tools.upscale_model import UPSCALER, write_tiny_upscaler

PACK = Path(__file__).resolve().parents[2]
PROBE = PACK / "tests" / "support" / "probe"
TOKEN = "a-token-of-the-tests"
TIMING = Timing(queued=0.3, running=0.7)
PYTHON = {"PYTHONDONTWRITEBYTECODE": ""}  # as users have it: an import compiles once, not at every start
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # where other work keeps the cores busy, torch's threads wait for each other
PATIENCE = 10.0  # seconds for the service to begin with a job

Step = tuple[Callable[[Event], bool], Callable[[], object]]
"""Which event of a run to wait for, and what to do then."""


@dataclass(frozen=True)
class ServiceLog:
    """What has reached the service since the test began."""

    service: RehearsalService
    submissions_before: int
    calls_before: Counter[tuple[str, str]]

    @property
    def submissions(self) -> list[Submission]:
        return list(self.service.submissions[self.submissions_before :])

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        return self.service.calls - self.calls_before

    def hold_once_running(self) -> None:
        """Lets the held jobs out of the queue, and holds them again as soon as the last one is being generated."""
        self.service.release()
        deadline = time.monotonic() + PATIENCE
        while self.submissions[-1].state is JobState.IN_QUEUE and time.monotonic() < deadline:
            time.sleep(0.01)
        self.service.hold()
        assert self.submissions[-1].state is JobState.IN_PROGRESS


@pytest.fixture(scope="session")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(tokens=(TOKEN,), timing=TIMING) as service:
        yield service


@pytest.fixture
def service_log(service: RehearsalService) -> Iterator[ServiceLog]:
    """A fresh look at the service; whatever a test held is released after it."""
    yield ServiceLog(service, len(service.submissions), service.calls)
    service.release()


@pytest.fixture(scope="session")
def server(service: RehearsalService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """ComfyUI with the service's token in its settings: `mode: live` runs against the service."""
    with started(tmp_path_factory.mktemp("comfyui"), {"RUNCOMFY_API_BASE_URL": service.origin}) as server:
        set_token(server, TOKEN)
        yield server


@pytest.fixture(scope="session")
def client(server: ComfyUI) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


@dataclass(frozen=True)
class Comfy(ServiceLog):
    """A user's ComfyUI, and what has reached the service from it since the test began."""

    server: ComfyUI
    client: Client

    @property
    def base(self) -> Path:
        """The folder with its input, output and user folders."""
        return self.server.base

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def bought(self) -> list[str]:
        """The ids of the jobs that the service has taken."""
        return [submission.request_id for submission in self.submissions]

    def run(self, graph: ApiGraph, *steps: Step) -> Run:
        """Run a graph, and react to its events, one step after the other."""
        return self.client.run(graph, on_event=in_order(*steps))

    def failure(self, graph: ApiGraph) -> str:
        """What the user reads of a graph that fails, whether validation or the node says it."""
        try:
            run = self.client.run(graph)
        except Refused as refusal:
            return str(refusal)
        assert run.status is Status.ERROR
        assert run.error is not None
        return run.error.message

    def files(self, run: Run, of: str) -> list[Path]:
        """Those that a node has saved or shows."""
        shown = run.outputs[of]["images"]
        return [self.base.joinpath(each["type"], each["subfolder"], each["filename"]) for each in shown]

    def open_gate(self, gate: str) -> None:
        """Let a `ProbeGate` node go on."""
        requests.post(f"{self.url}/probe/open/{gate}", timeout=PATIENCE).raise_for_status()


@pytest.fixture
def comfy(service_log: ServiceLog, server: ComfyUI, client: Client) -> Comfy:
    """With a token, so that `mode: live` runs against the service."""
    return Comfy(**vars(service_log), server=server, client=client)


@pytest.fixture
def newcomer(comfy: Comfy) -> Iterator[Comfy]:
    """As a newcomer has it, without a token. The service stands where RunComfy would, to count what should not reach
    it."""
    requests.delete(f"{comfy.url}/seedance/token", json={}, timeout=60).raise_for_status()
    yield comfy
    set_token(comfy.server, TOKEN)


def set_token(server: ComfyUI, token: str) -> None:
    requests.post(f"{server.url}/seedance/token", json={"token": token}, timeout=60).raise_for_status()


@contextmanager
def started(base: Path, env: dict[str, str], *extra_args: str) -> Iterator[ComfyUI]:
    """A server with the probe pack and the upscale model, and a budget that no test comes near by chance."""
    record = base / "network.txt"
    shutil.copytree(PROBE, base / "custom_nodes" / "probe", ignore=shutil.ignore_patterns("__pycache__"))
    write_tiny_upscaler(base / "models" / "upscale_models" / UPSCALER)
    env = {"SEEDANCE_MAX_USD_PER_DAY": "1000"} | env | PYTHON | ONE_THREAD | {"PROBE_NETWORK_RECORD": str(record)}
    with ComfyUI(base, pack=PACK, env=env, extra_args=extra_args) as server:
        shutil.copyfile(record, network_at_start(server))
        yield server


def network_at_start(server: ComfyUI) -> Path:
    """What reached for the network until the server answered, one line each with the files on the call stack."""
    return server.base / "network-at-start.txt"


def get(server: ComfyUI, path: str) -> requests.Response:
    """What the server serves under a path, which begins with a slash."""
    answer = requests.get(server.url + path, timeout=30)
    answer.raise_for_status()
    return answer


def succeeded(run: Run) -> Run:
    """A run that has brought all that it should."""
    assert run.status is Status.SUCCESS, run.error
    return run


def clips(run: Run) -> list[dict[str, Any]]:
    """What the probe saw of each video of a run that succeeded."""
    found: list[dict[str, Any]] = succeeded(run).outputs[seedance_graphs.PROBE]["probe"]
    return found


def request_ids(run: Run) -> list[str]:
    """Those of the videos that the probe saw."""
    return [str(clip["scalars"]["request_id"]) for clip in clips(run)]


def lines(run: Run) -> list[str]:
    """All lines of text that were shown on nodes."""
    return [str(event.data["text"]) for event in run.events if event.name == PROGRESS_TEXT]


def says(begin: str) -> Callable[[Event], bool]:
    """Picks the events that show a line on a node that begins so."""
    return lambda event: event.name == PROGRESS_TEXT and str(event.data["text"]).startswith(begin)


def happens(name: str, node_id: str) -> Callable[[Event], bool]:
    """Picks the events of that name about a node."""
    return lambda event: event.name == name and event.data["node"] == node_id


def in_order(*steps: Step) -> Callable[[Event], None]:
    """Takes a run's events, and does something at the first one that each step picks, one step after the other."""
    left = list(steps)

    def on_event(event: Event) -> None:
        if left and left[0][0](event):
            left.pop(0)[1]()

    return on_event
