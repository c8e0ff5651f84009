"""A proxy on loopback that passes a connection's bytes on, and cuts it when a test wants that."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final

PIECE: Final = 65536


class Act(Enum):
    """What becomes of a piece that a client has sent."""

    PASS = "pass"
    CUT_BEFORE = "cut before"
    """The connection is cut, and the piece does not arrive."""
    CUT_AFTER = "cut after"
    """The piece arrives; the connection is cut before its answer comes."""
    SWALLOW = "swallow"
    """Nothing is passed on any more, and nothing is cut."""


class CuttingProxy:
    """From entering the `with` block to leaving it.

    Args:
        port: of the server behind it.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.judge: Callable[[bytes], Act] = lambda _: Act.PASS
        """Asked for every piece that a client sends."""
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> CuttingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _close(pair)

    def go_away(self) -> None:
        """Cut every connection, also those that are made from now on."""
        self.judge = lambda _: Act.CUT_BEFORE
        self.cut()

    def come_back(self) -> None:
        self.judge = lambda _: Act.PASS

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._server_port))
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._pairs.add((client, server))
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_judged: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                act = self.judge(piece) if is_judged else Act.PASS
                if act is Act.SWALLOW:
                    continue
                if act is Act.CUT_AFTER:
                    source.shutdown(socket.SHUT_RDWR)  # first, so that no answer can come
                if act is not Act.CUT_BEFORE:
                    target.sendall(piece)
                if act is not Act.PASS:
                    target.shutdown(socket.SHUT_WR)
                    source.shutdown(socket.SHUT_RDWR)
                    return
        _close((source, target))


def _close(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
