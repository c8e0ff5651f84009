"""What the settings panel asks the server: the token's state, to save, clear and check it, and the pack's version.

ComfyUI has no log-in, so a route takes a token in and never gives one out, and answers ComfyUI's own pages only. What
comes from `runcomfy` is imported when somebody asks, since it would slow ComfyUI's start down.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from ..errors import SeedanceError
from .token_settings import TokenSettings, message

if TYPE_CHECKING:
    from ..video.probe import VideoInfo

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
MAX_BODY: Final = 4096
"""Bytes; a token and the JSON around it."""
CROSS_SITE: Final = (
    "Only ComfyUI's own pages may ask this, opened over https, by IP address, or by a name that only this machine or "
    "its network knows. Where that cannot be, or a proxy changes the Host header, set the environment variable "
    "RUNCOMFY_API_TOKEN instead."
)
_OWN: Final = ("same-origin", "none")
"""`Sec-Fetch-Site` of ComfyUI's own pages, and of an address that the user typed."""
_LOCAL: Final = ("localhost", "local")
"""What names end with that nobody can register."""


@dataclass(frozen=True)
class About:
    """The pack's version and where it lives."""

    version: str
    repository: str


Asked = Mapping[str, object]
"""What a request brings: its query where it only reads, else its body."""
Answer = Callable[[Asked], Any]
"""Blocks for a moment, and gives a dataclass or a response as it is, or what gives one later without blocking."""


def add_routes(routes: web.RouteTableDef, token_file: Callable[[], Path]) -> None:
    """Add all of them.

    Args:
        token_file: the place of the saved token; blocks.
    """

    def settings() -> TokenSettings:
        return TokenSettings(token_file(), os.environ)

    table: tuple[tuple[str, str, Answer], ...] = (
        ("GET", "/seedance/about", lambda _: about()),
        ("GET", "/seedance/token", lambda _: settings().state()),
        ("POST", "/seedance/token", lambda asked: settings().save(asked.get("token"))),
        ("DELETE", "/seedance/token", lambda _: settings().clear()),
        ("POST", "/seedance/token/check", lambda _: settings().check()),
        ("GET", "/seedance/video", lambda asked: video_info(asked.get("name"))),
    )
    add_table(routes, table)


def add_table(routes: web.RouteTableDef, table: Iterable[tuple[str, str, Answer]], max_body: int = MAX_BODY) -> None:
    """Add a route by method and path for each answer. Other sites' pages get none of them."""
    for method, path, answer in table:
        routes.route(method, path)(partial(_handle, answer, max_body))


def video_info(name: object) -> VideoInfo:
    """How many frames a video has that Load Seedance Video offers, and its rate: for the player on the node."""
    from ..video.errors import VideoError
    from ..video.probe import probe
    from .files import find_video  # which needs ComfyUI; tools and tests read this file without it

    file = find_video(name)
    with suppress(VideoError):
        if file:
            return probe(file)
    raise web.HTTPNotFound(text="There is no such video in ComfyUI's folders, or it cannot be read.")


async def _handle(answer: Answer, max_body: int, request: web.Request) -> web.Response:
    """Answer with a value, as JSON. What does more than to read must bring a JSON object."""
    try:
        if is_cross_site(request.headers):
            raise web.HTTPForbidden(text=CROSS_SITE)
        asked: Asked = request.query if request.method == "GET" else await _body(request, max_body)
        answered = await asyncio.to_thread(answer, asked)
        if isinstance(answered, Awaitable):
            answered = await answered
        if isinstance(answered, web.Response):
            answered.headers["Cache-Control"] = "no-store"
            return answered
        found, status = asdict(answered), 200
    except web.HTTPClientError as refused:
        found, status = {"error": refused.text}, refused.status
    except SeedanceError as error:
        found, status = {"error": message(error)}, 400
    except OSError as error:
        found, status = {"error": f"What is saved cannot be changed ({error}). Make that writable."}, 400
    return web.json_response(found, status=status, headers={"Cache-Control": "no-store"})


async def _body(request: web.Request, at_most: int) -> Asked:
    """The JSON object that was sent. Raises an error of HTTP, which quotes nothing of it."""
    # A form of another site's page cannot be sent as JSON.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="The body must be JSON.")
    if request.content_length is None or request.content_length > at_most:
        raise web.HTTPRequestEntityTooLarge(at_most, request.content_length or 0, text="The body is too large.")
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    return found


def about() -> About:
    """Read from pyproject.toml, the one place where both are written."""
    # Not tomllib: Python 3.10 has none.
    text = PROJECT.read_text(encoding="utf-8")
    found = dict(re.findall(r'^(version|Repository) = "([^"]+)"$', text, re.MULTILINE))
    return About(found["version"], found["Repository"])


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Whether another site's page sent this request. Header names must be looked up whatever their case.

    Stricter than ComfyUI's own check, which looks at loopback only and is off with --enable-cors-header. A request
    with neither header is a script's or an old browser's, and no page of another site can make one that it can read.

    A site may also let its own name lead here once its page is loaded (DNS rebinding), which makes it the same origin.
    So a name that can be registered has to have come over https: that takes a certificate for it.
    """
    site, origin, host = headers.get("Sec-Fetch-Site"), headers.get("Origin"), headers.get("Host", "").lower()
    page = _split(origin or "")
    if site not in (None, *_OWN) or (origin is not None and page.netloc.lower() != host):
        return True
    # Without an Origin: to a name that can be registered, browsers send Sec-Fetch-Site over https only.
    over_https = site is not None if origin is None else page.scheme == "https"
    return not (over_https or _is_ours(_split(f"//{host}").hostname or ""))


def _is_ours(name: str) -> bool:
    """Whether a host is an IP address, or a name that no other site can have."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        *above, last = name.rstrip(".").split(".")
        return bool(last) and (not above or last in _LOCAL or name == socket.gethostname().lower())
    return True


def _split(address: str) -> SplitResult:
    """An address in its parts, all of which are empty where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
