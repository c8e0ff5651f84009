"""The one route, for ComfyUI's own pages only: ComfyUI has no log-in, and other sites' pages can reach it."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from ..errors import SeedanceError
from ..texts import Text, as_json

if TYPE_CHECKING:
    from ..engine import Engine

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
MAX_BODY: Final = 100_000
"""Bytes; the text of a video and the JSON around it."""
_NO_BODY: Final = f"The body must be a JSON object of at most {MAX_BODY} bytes."
"""In English alone: only programs read it, since ComfyUI's own pages send one."""
_OWN_PAGES: Final = ("same-origin", "none")
"""`Sec-Fetch-Site` of ComfyUI's own pages, and of an address that the user typed."""
_LOCAL_ENDINGS: Final = ("localhost", "local")
"""Endings of names that nobody can register."""

Params = Mapping[str, object]
"""What a request says: the query of a GET, else its JSON body."""


@dataclass(eq=False)
class Refused(Exception):
    """A request that gets no answer. ``text`` says why, in a sentence that quotes nothing of it."""

    status: int
    text: str


def add_route(routes: web.RouteTableDef, engine: Callable[[], Engine]) -> None:
    """Answer what is asked for below `/seedance/`, as `routes.py` does. Other sites' pages get nothing.

    ``engine`` returns the engine, and makes it at the first call.
    """
    routes.route("*", "/seedance/{name:.+}")(partial(_handle, engine))


async def _handle(engine: Callable[[], Engine], request: web.Request) -> web.StreamResponse:
    try:
        if is_cross_site(request.headers):
            raise Refused(403, Text("refused.crossSite"))
        asked: Params = request.query if request.method == "GET" else await _json_body(request)
        name = f"{request.method} {request.match_info['name']}"
        found, status = await asyncio.to_thread(_answer, name, engine, asked), 200
        if isinstance(found, Awaitable):
            found = await found
    except Refused as refused:
        found, status = in_texts("error", (refused.text,)), refused.status
    except SeedanceError as error:
        found, status = in_texts("error", sentences(error)), 400
    except OSError as error:
        found, status = in_texts("error", (Text("refused.readOnly", reason=str(error)),)), 400
    response = found if isinstance(found, web.Response) else web.json_response(found, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Whether another site's page sent this request. Header names must be looked up whatever their case.

    Stricter than ComfyUI's own check, which looks at loopback only and is off with --enable-cors-header. A request
    with neither header is a script's or an old browser's, and no page of another site can make one that it can read.

    A site may also point its own name at this server once its page is loaded (DNS rebinding), which makes it the same
    origin. So a name that can be registered must come over https: that takes a certificate for it.
    """
    site, origin, host = headers.get("Sec-Fetch-Site"), headers.get("Origin"), headers.get("Host", "").lower()
    try:
        page, name = urlsplit(origin or ""), urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return True
    if site not in (None, *_OWN_PAGES) or (origin is not None and page.netloc.lower() != host):
        return True
    # Without an Origin: to a name that can be registered, browsers send Sec-Fetch-Site over https only.
    over_https = site is not None if origin is None else page.scheme == "https"
    return not (over_https or _cannot_be_registered(name))


def _cannot_be_registered(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        *above, last = name.rstrip(".").split(".")
        return bool(last) and (not above or last in _LOCAL_ENDINGS or name == socket.gethostname().lower())
    return True


async def _json_body(request: web.Request) -> Params:
    """The JSON object that was sent; every request but a GET must have one."""
    # A page of another site cannot send a form as JSON.
    if request.content_type != "application/json":
        raise Refused(415, _NO_BODY)
    if request.content_length is None or request.content_length > MAX_BODY:
        raise Refused(413, _NO_BODY)
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(400, _NO_BODY)
    return found


def _answer(name: str, engine: Callable[[], Engine], asked: Params) -> Any:
    if name == "GET about":  # asked for whenever somebody opens ComfyUI, with or without this pack's nodes
        return about()
    from .routes import ANSWERS, video_facts  # not above: it would slow ComfyUI's start down

    if name == "GET video":  # needs no engine, which would create its files
        return video_facts(asked)
    if name in ANSWERS:
        return ANSWERS[name](engine(), asked)
    raise web.HTTPNotFound


def about() -> dict[str, str]:
    """The pack's version and repository, as in pyproject.toml, the one place where they are written."""
    # Not tomllib: Python 3.10 has none.
    text = PROJECT.read_text(encoding="utf-8")
    found = re.findall(r'^(version|Repository) = "([^"]+)"$', text, re.MULTILINE)
    return {name.lower(): value for name, value in found}


def sentences(error: SeedanceError) -> tuple[str, ...]:
    """What a page shows of an error: all but its words about charges, since nothing here can be charged."""
    return error.message, error.advice


def in_texts(name: str, texts: tuple[str, ...]) -> dict[str, object]:
    """Sentences for a page: in English under ``name``, and as `texts` that the page can translate."""
    return {name: " ".join(texts) or None, "texts": [as_json(text) for text in texts]}
