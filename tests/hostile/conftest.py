"""A real ComfyUI with two tokens that must not be seen anywhere, and traps around it that nobody may step into."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from nodes.rehearsal import Timing
from tests.comfyui.conftest import lines, set_token, started
from tests.comfyui.graphs import to_api_graph
from tests.hostile.cases import CASES, Case, Ending
from tests.support.clips import numbered, write_clip
from tests.support.faulty_service import FaultyService
from tests.support.loopback_server import Loopback, always, reply
from tests.support.rehearsal import RehearsalService
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Refused, Status

SAVED = "canary-5aved-4f0c9d1e7b2a4c6d8e9f"
VARIABLE = "canary-en7ir0nment-0a1b2c3d4e5f6a7b"
CANARIES = (SAVED, VARIABLE)
TIMEOUT = 120.0


@dataclass
class Visit:
    """What became of one case, and everything that ComfyUI said about it."""

    ending: Ending
    message: str = ""
    lines: list[str] = field(default_factory=list)
    """The lines of text that were shown on the node."""
    refused: dict[str, Any] = field(default_factory=dict)
    raised: str = ""
    """The class of the exception that ended the run, with its module."""
    heard: str = ""
    """All of it, as JSON."""

    def defects(self) -> Iterator[str]:
        """What nobody meant: what ends a run is one of the pack's own errors, and its validation raises nothing."""
        if self.ending is Ending.FAILS and "seedance.nodes." not in self.raised:
            yield f"{self.raised}: {self.message}"
        for node in self.refused.values():
            for error in node["errors"]:
                if any("custom_nodes/seedance" in line for line in error["extra_info"].get("traceback", ())):
                    yield f"{error['extra_info']['exception_type']}: {error['details']}"


@dataclass(frozen=True)
class Scene:
    """The server and what stands around it."""

    server: ComfyUI
    client: Client
    api: FaultyService
    trap: Loopback
    """Answers like a video server, but nobody may ever ask it."""

    @property
    def network(self) -> list[str]:
        """Every address that the server's process has connected to."""
        lines = (self.server.base / "network.txt").read_text(encoding="utf-8").splitlines()
        found = {line.partition(" from ")[0] for line in lines if line.startswith("socket.connect ")}
        return sorted(str(ast.literal_eval(each.removeprefix("socket.connect "))[0]) for each in found)

    def listening(self) -> set[int]:
        """The ports that the server's own process listens on: ComfyUI's and the rehearsal's."""
        connections = psutil.Process(self.server.pid).net_connections("tcp")
        return {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}

    def get(self, path: str) -> str:
        """What ComfyUI answers, headers included."""
        answer = requests.get(self.server.url + path, timeout=60)
        return f"{answer.status_code} {dict(answer.headers)} {answer.text}"

    def visit(self, case: Case) -> Visit:
        """Send a case and wait for its end."""
        content = case.content.replace("@TRAP@", str(self.trap.port))
        workflow = json.loads(content.replace("@TOKEN_FILE@", str(token_file(self.server.base))))
        saved_by_ui = "nodes" in workflow
        graph = to_api_graph(workflow, self.client.object_info()) if saved_by_ui else workflow
        for call, fault in case.breaks.items():
            self.api.arm(call, fault)
        try:
            prompt_id = self.client.queue(graph, workflow=workflow if saved_by_ui else None)
            run = self.client.follow(prompt_id, timeout=TIMEOUT)
        except Refused as refused:
            heard = json.dumps([refused.error, refused.node_errors])
            return Visit(Ending.REFUSED, str(refused), refused=refused.node_errors, heard=heard)
        finally:
            self.api.mend()
        events = [event.data for event in run.events]
        ending = Ending.RUNS if run.status is Status.SUCCESS else Ending.FAILS
        message, raised = (run.error.message, run.error.exception_type) if run.error else ("", "")
        heard = json.dumps([events, run.outputs, self.client.history(run.prompt_id)])
        return Visit(ending, message, lines(run), raised=raised, heard=heard)


def token_file(base: Path) -> Path:
    return base / "user" / "__seedance" / "token"


@pytest.fixture(scope="session")
def trap() -> Iterator[Loopback]:
    with Loopback(always(reply(200, b"caught"))) as trap:
        yield trap


@pytest.fixture(scope="session")
def scene(trap: Loopback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    base = tmp_path_factory.mktemp("hostile") / "comfyui"
    _prepare(base, trap.port)
    with (
        RehearsalService(tokens=CANARIES, timing=Timing(queued=0.0, running=0.1)) as service,
        FaultyService(service) as api,
        started(
            base,
            {"RUNCOMFY_API_BASE_URL": api.origin, "RUNCOMFY_API_TOKEN": VARIABLE},
            *("--verbose", "DEBUG"),
        ) as server,
        Client(server.url) as client,
    ):
        set_token(server, SAVED)
        refused = requests.post(f"{server.url}/seedance/token", json={"token": f"{SAVED} with a space"}, timeout=60)
        assert refused.status_code == 400
        yield Scene(server, client, api, trap)


@pytest.fixture(scope="session")
def visits(scene: Scene) -> dict[str, Visit]:
    """Every case has been there, by its name."""
    return {case.name: scene.visit(case) for case in CASES}


def _prepare(base: Path, port: int) -> None:
    """Files of ComfyUI's, and files that lie outside of its folders or lead there."""
    uploads = base / "input"
    uploads.mkdir(parents=True)
    write_clip(uploads / "clip.mp4", map(numbered, range(12)))
    for outside in (base.parent / "secret.mp4", base / "secret.mp4"):
        write_clip(outside, map(numbered, range(3)))
    (uploads / "outside.mp4").symlink_to(base.parent / "secret.mp4")
    (uploads / "outside").symlink_to(base.parent)
    (uploads / "deep").symlink_to(base / "user")  # beside which there is a secret
    (uploads / "circle.mp4").symlink_to(uploads / "circle.mp4")
    (uploads / "folder.mp4").mkdir()
    os.mkfifo(uploads / "pipe.mp4")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{base.parent / 'secret.mp4'}\n#EXT-X-ENDLIST\n"
    for name in ("playlist.m3u8", "playlist.mp4", "playlist.mp4.m3u8", "playlist"):
        (uploads / name).write_text(playlist)
    (uploads / "join.mp4").write_text("ffconcat version 1.0\nfile clip.mp4\n")
    (uploads / "session.mp4").write_text(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n"
    )
