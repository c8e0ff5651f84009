"""Who is let in: so many connections at once, however many knock."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

PLACES: Final = 64
"""Connections at once, with a thread and a descriptor each; the pack's own clients need 16."""
_PATIENCE: Final = 2.0
"""Seconds without a whole request after which a connection may have to make room."""


class Door:
    """Counts the connections inside. Safe to use from several threads.

    When all places are taken, the connection whose request is the longest in coming is hung up for the next one. While
    none is overdue, that one waits until a place is free. Behind it, connections wait in the system's own queue, which
    takes no descriptor of this process, and beyond that they are refused.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._inside: set[socket.socket] = set()
        self._quiet: dict[socket.socket, float] = {}
        """Those whose next request is not there yet, and since when it is awaited."""
        self._hung_up: set[socket.socket] = set()
        """Those that have been shown out, but are still inside."""
        self._closed = False

    def enter(self, connection: socket.socket) -> None:
        """Take a place, as soon as there is one. Raises `ConnectionRefusedError` once the door is closed."""
        with self._changed:
            while len(self._inside) >= PLACES and not self._closed:
                if not self._hung_up:
                    self._make_room()
                self._changed.wait(_PATIENCE)
            if self._closed:
                raise ConnectionRefusedError("the service has stopped")
            self._inside.add(connection)
            self._quiet[connection] = self._clock()

    def listen(self, connection: socket.socket) -> None:
        """Its request was answered, and another one may come."""
        with self._changed:
            if connection not in self._hung_up:
                self._quiet[connection] = self._clock()

    def answer(self, connection: socket.socket) -> None:
        """Its request is there; it stays until that is answered. Raises `ConnectionAbortedError` if it is too late."""
        with self._changed:
            if connection in self._hung_up:
                raise ConnectionAbortedError("it had to make room")
            self._quiet.pop(connection, None)

    def leave(self, connection: socket.socket) -> None:
        """Give its place to another one. Nothing if it has none."""
        with self._changed:
            self._inside.discard(connection)
            self._hung_up.discard(connection)
            self._quiet.pop(connection, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Hang up on everybody and let nobody in any more."""
        with self._changed:
            self._closed = True
            for connection in self._inside:
                self._hang_up(connection)
            self._changed.notify_all()

    def _make_room(self) -> None:
        eldest = min(self._quiet, key=self._quiet.__getitem__, default=None)
        if eldest is not None and self._quiet[eldest] + _PATIENCE <= self._clock():
            self._hang_up(eldest)

    def _hang_up(self, connection: socket.socket) -> None:
        self._quiet.pop(connection, None)
        self._hung_up.add(connection)
        with suppress(OSError):  # the client was quicker
            connection.shutdown(socket.SHUT_RDWR)
