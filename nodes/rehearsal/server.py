"""The HTTP server: bytes in, bytes out, on the loopback interface only. It prints nothing and logs no headers."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import unquote, urlsplit

from .api import Answer, Call, ModelApi, Route, route, unknown_path, wrong_method
from .door import Door
from .media import portion
from .store import JobStore

log = logging.getLogger("seedance")

HOST: Final = "127.0.0.1"
MAX_BODY: Final = 1024 * 1024
"""Bytes; a real input has a few hundred."""
_PIECE: Final = 256 * 1024


class LoopbackServer(ThreadingHTTPServer):
    """Listens from its making on; serves once `serve_forever` runs. One daemon thread per connection.

    Args:
        door: lets the connections in.
        latency: seconds from a call to its answer, and once more for a new connection, as on the way to a real service.
    """

    daemon_threads = True
    request_queue_size = 256
    """Connections that may wait to be taken; hundreds of jobs may be polled at once."""

    def __init__(self, port: int, store: JobStore, door: Door, latency: float = 0.0) -> None:
        self.store = store
        self.door = door
        self.latency = latency
        self.api: ModelApi
        super().__init__((HOST, port), _Handler)

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's name, which may reach the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Take the next connection only once there is a place for this one."""
        if isinstance(request, socket.socket):
            self.door.enter(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection that is over, and free its place."""
        super().shutdown_request(request)
        if isinstance(request, socket.socket):
            self.door.leave(request)

    def shutdown(self) -> None:
        """End every connection too: kept-alive ones would otherwise go on being answered after the server stopped."""
        self.door.close()
        super().shutdown()

    def handle_error(self, *_: object) -> None:
        """A client that went away is no event."""
        log.debug("A connection broke", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    server_version = "RunComfyRehearsal"
    sys_version = ""
    timeout = 30
    """Seconds that an idle connection is kept."""
    wbufsize = -1
    # Head and body leave together and at once; kept-alive answers would otherwise lag by 40 ms.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        time.sleep(self.server.latency)

    def do_GET(self) -> None:
        time.sleep(self.server.latency)
        self._answer()
        self.wfile.flush()
        self.server.door.listen(self.connection)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _answer(self) -> None:
        found = route(self.command, unquote(urlsplit(self.path).path))
        self.server.store.count(self.command, found.kind if found else "unknown")
        body = self._body()
        self.server.door.answer(self.connection)
        if isinstance(body, Answer):
            # What is left unread would be taken for the next request.
            self.close_connection = True
            self._send_json(body)
        elif found is None:
            self._send_json(unknown_path())
        elif self.command not in found.methods:
            self._send_json(wrong_method(found.methods))
        elif found.kind == "media":
            self._send_media(found)
        else:
            call = Call(self.command, self.path, self.headers.get("Authorization", ""), body)
            self._send_json(self.server.api.answer(call, found))

    def _body(self) -> bytes | Answer:
        """The request's body, or the refusal to read it."""
        if self.headers.get("Transfer-Encoding"):
            return Answer(411, {"detail": "Length Required"})
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            return Answer(400, {"detail": "Bad Content-Length"})
        if len(length) > 12 or int(length) > MAX_BODY:
            return Answer(413, {"detail": "Payload Too Large"})
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else Answer(400, {"detail": "Body cut short"})

    def _send_json(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self._send_head(answer.status, {"Content-Type": "application/json", **answer.headers}, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_media(self, found: Route) -> None:
        kept = self.server.store.film(found.subject)
        if kept is None:
            self._send_json(unknown_path())
            return
        asked = [self.headers.get(name, "") for name in ("Range", "If-Range", "If-None-Match")]
        with kept as film:
            part = portion(film.cached.size, film.cached.etag, *asked)
            self._send_head(part.status, part.headers, part.length)
            if self.command != "HEAD":
                end = part.start + part.length
                for start in range(part.start, end, _PIECE):
                    self.wfile.write(film.read(start, min(_PIECE, end - start)))

    def _send_head(self, status: int, headers: Mapping[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        log.debug(format, *args)
