"""A client of ComfyUI's HTTP API: queue a graph, follow it, stop it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import requests

from .comfyui_events import Event, EventStream

Graph = Mapping[str, Mapping[str, Any]]
"""ComfyUI's API format: node id to `{"class_type": ..., "inputs": {...}}`."""

HTTP_SECONDS: Final = 60.0


class Status(str, Enum):
    """How a run ended."""

    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


_ENDINGS: Final = {
    "execution_success": Status.SUCCESS,
    "execution_error": Status.ERROR,
    "execution_interrupted": Status.INTERRUPTED,
}


class Refused(Exception):
    """ComfyUI's validation did not accept the graph; nothing ran."""

    def __init__(self, error: dict[str, Any], node_errors: dict[str, Any]) -> None:
        details = [
            f"node {node}: {each['message']}: {each['details']}"
            for node, found in node_errors.items()
            for each in found["errors"]
        ]
        super().__init__("; ".join([f"{error.get('message')} {error.get('details') or ''}".strip(), *details]))
        self.error = error
        """What is wrong with the graph: `{"type", "message", "details", ...}`."""
        self.node_errors = node_errors
        """Node id to `{"errors": [{"type", "message", "details", ...}], ...}`."""


@dataclass(frozen=True)
class NodeFailure:
    """The node that ended a run, and the exception it raised."""

    node_type: str
    exception_type: str
    """Its class, with the module unless it is Python's own."""
    message: str


@dataclass(frozen=True)
class Run:
    """A finished prompt."""

    prompt_id: str
    status: Status
    events: list[Event]
    outputs: dict[str, Any]
    """Node id to what it handed to the UI, such as `{"images": [{"filename", "subfolder", "type"}]}`."""
    error: NodeFailure | None = None
    """Set when `status` is ERROR."""


class Client:
    """A UI of one ComfyUI server. Its methods block; a second thread may call `interrupt` meanwhile.

    Args:
        url: without a trailing slash.

    Raises:
        ConnectionError: no ComfyUI answers there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._id = uuid.uuid4().hex
        self._stream = EventStream(url, self._id)
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business on loopback

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._session.close()

    def object_info(self) -> dict[str, Any]:
        """Every node's sockets and widgets, by node id, as the UI reads them."""
        return self._get("/object_info")

    def history(self, prompt_id: str) -> dict[str, Any]:
        """ComfyUI's record of a finished prompt; empty while it is not finished."""
        found: dict[str, Any] = self._get(f"/history/{prompt_id}").get(prompt_id, {})
        return found

    def run(self, graph: Graph, *, on_event: Callable[[Event], None] | None = None, timeout: float = 120.0) -> Run:
        """Queue the graph and follow it to its end. Raises as `queue` and `follow` do."""
        return self.follow(self.queue(graph), on_event=on_event, timeout=timeout)

    def queue(self, graph: Graph, *, workflow: Mapping[str, Any] | None = None) -> str:
        """Queue the graph. Returns its prompt id; raises `Refused` when validation does not accept it.

        Args:
            workflow: its form in the UI, which the UI sends along.
        """
        body: dict[str, Any] = {"prompt": graph, "client_id": self._id}
        if workflow:
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        # Not by `json=`, which refuses NaN: tests send that, too.
        answer = self._session.post(f"{self._url}/prompt", data=json.dumps(body), timeout=HTTP_SECONDS)
        if answer.status_code == requests.codes.bad_request:
            refusal = answer.json()
            raise Refused(refusal["error"], refusal["node_errors"] or {})
        answer.raise_for_status()
        return str(answer.json()["prompt_id"])

    def follow(self, prompt_id: str, *, on_event: Callable[[Event], None] | None = None, timeout: float = 120.0) -> Run:
        """Wait for the prompt's end, handing over its events as they come, past ones first.

        Raises:
            TimeoutError: after ``timeout`` seconds.
            ConnectionError: the server went away.
        """
        events: list[Event] = []
        status, error = Status.ERROR, None
        for event in self._stream.of(prompt_id, timeout=timeout):
            events.append(event)
            if on_event is not None:
                on_event(event)
            if event.name in _ENDINGS:
                status = _ENDINGS[event.name]
                error = _failure(event) if status is Status.ERROR else None
            # ComfyUI's last word; by then the history is written, which it is not when the ending is sent.
            if event.name == "executing" and event.data["node"] is None:
                break
        return Run(prompt_id, status, events, self.history(prompt_id).get("outputs", {}), error)

    def interrupt(self) -> None:
        """Press Stop for whatever is running."""
        self._session.post(f"{self._url}/interrupt", json={}, timeout=HTTP_SECONDS).raise_for_status()

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(f"{self._url}{path}", timeout=HTTP_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _failure(ending: Event) -> NodeFailure:
    return NodeFailure(
        node_type=ending.data["node_type"],
        exception_type=ending.data["exception_type"],
        message=ending.data["exception_message"].strip(),
    )
