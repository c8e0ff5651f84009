"""The events that a ComfyUI server sends over its websocket, kept per prompt, in order."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

PROGRESS_TEXT: Final = "progress_text"
TEXT_FRAME: Final = 3
"""ComfyUI's number for a line of progress text; the other binary frames are preview images."""
CONNECT_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Event:
    """One message about one prompt."""

    name: str
    """ComfyUI's event name (`execution_start`, `executing`, `progress_state`, `executed`, ...) or `progress_text`,
    whose data is `{"node": id, "text": line}`."""
    data: dict[str, Any]
    """The message as it came."""


class EventStream:
    """One websocket connection, read by a thread of its own until `close`; it is made when the server knows the client.

    Raises:
        ConnectionError: the server does not answer.
    """

    def __init__(self, url: str, client_id: str) -> None:
        self._url = f"{url}/ws?clientId={client_id}"
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._changed = threading.Condition()
        self._ready = False
        self._ended = ""
        """Why the connection is over."""
        self._running_prompt: str | None = None
        self._loop = asyncio.new_event_loop()
        self._reader = self._loop.create_task(self._read())
        self._thread = threading.Thread(target=self._run, name="comfyui-events", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended, CONNECT_SECONDS)
            greeted = self._ready
        if not greeted:
            self.close()
            raise ConnectionError(self._ended or f"{url} did not greet its websocket client")

    def of(self, prompt_id: str, *, timeout: float) -> Iterator[Event]:
        """The prompt's events from its first one on, waiting for those to come; the caller stops reading.

        Raises:
            TimeoutError: an event is still awaited ``timeout`` seconds after the call.
            ConnectionError: the server is gone.
        """
        deadline = time.monotonic() + timeout
        position = 0
        while True:
            fresh = self._after(position, prompt_id, max(0.0, deadline - time.monotonic()))
            if not fresh:
                raise TimeoutError(f"prompt {prompt_id} was not finished after {timeout:g} s")
            position += len(fresh)
            yield from fresh

    def _after(self, position: int, prompt_id: str, seconds: float) -> list[Event]:
        """The prompt's events from ``position`` on; empty when none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events[prompt_id]) > position or self._ended, seconds)
            fresh = self._events[prompt_id][position:]
            if self._ended and not fresh:
                raise ConnectionError(self._ended)
            return fresh

    def close(self) -> None:
        """End the connection, if it has not ended already."""
        self._loop.call_soon_threadsafe(self._reader.cancel)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._reader)
            ended = "ComfyUI closed its websocket"
        except asyncio.CancelledError:
            ended = "the connection was closed"
        except (aiohttp.ClientError, OSError) as error:
            ended = f"the websocket failed: {error}"
        with self._changed:
            self._ended = ended
            self._changed.notify_all()

    async def _read(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, max_msg_size=0) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    content = json.loads(message.data)
                    self._take(content["type"], content.get("data") or {})
                elif message.type is aiohttp.WSMsgType.BINARY and (line := progress_text(message.data)):
                    self._take(PROGRESS_TEXT, line)

    def _take(self, name: str, data: dict[str, Any]) -> None:
        with self._changed:
            self._ready = True  # the server greets a new client with its queue's state
            if name == "execution_start":
                self._running_prompt = data["prompt_id"]
            # A line of text names no prompt, but ComfyUI runs one prompt at a time.
            prompt_id = self._running_prompt if name == PROGRESS_TEXT else data.get("prompt_id")
            if prompt_id is not None:
                self._events[prompt_id].append(Event(name, data))
            self._changed.notify_all()


def progress_text(frame: bytes) -> dict[str, Any] | None:
    """The node and the line of a binary frame, or None for a preview image."""
    kind, node_length = struct.unpack_from(">II", frame)
    if kind != TEXT_FRAME:
        return None
    return {"node": frame[8 : 8 + node_length].decode(), "text": frame[8 + node_length :].decode()}
