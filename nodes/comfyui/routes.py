"""What the pack's web extension asks the server: the token's state, to save, clear and check it, and the version.

ComfyUI has no log-in, so a route takes a token in and never gives one out, and answers ComfyUI's own pages only.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from aiohttp import web
from server import PromptServer

from .csrf import is_cross_site
from .files import find_video
from .prompt import drop_wrong_types
from .shared import SHARED, Shared, shared

if TYPE_CHECKING:
    from ..video.probe import VideoInfo
    from .settings import About, Check, TokenSettings, TokenState

MAX_BODY: Final = 4096
"""Bytes; a token and the JSON around it."""
CROSS_SITE: Final = (
    "Only ComfyUI's own pages may ask this, opened over https, by IP address, or by a name that only this machine or "
    "its network knows. Where that cannot be, or a proxy changes the Host header, set the environment variable "
    "RUNCOMFY_API_TOKEN instead."
)


def register() -> None:
    """Add the pack to ComfyUI's server, once, while it loads its packs: what it shares, its hooks and its routes."""
    server = PromptServer.instance
    state = server.app[SHARED] = Shared()
    # A pack that is imported once more while the server runs comes too late for these; Stop is watched all the same.
    if not server.app.frozen:
        server.app.middlewares.append(state.stops.middleware())
        server.app.on_cleanup.append(state.close)
    server.add_on_prompt_handler(drop_wrong_types)
    routes = server.routes
    routes.get("/seedance/about")(_route(_about))
    routes.get("/seedance/token")(_route(lambda _: _settings().state()))
    routes.post("/seedance/token")(_route(_save))
    routes.delete("/seedance/token")(_route(lambda _: _settings().clear()))
    routes.post("/seedance/token/check")(_route(lambda _: _settings().check()))
    routes.get("/seedance/video")(_video)


def _about(_: Mapping[str, object]) -> About:
    from .settings import about

    return about()


def _save(body: Mapping[str, object]) -> TokenState:
    text = body.get("token")
    if not isinstance(text, str) or not text.strip():
        raise web.HTTPBadRequest(text="The body needs a token, as a text.")
    return _settings().save(text)


async def _video(request: web.Request) -> web.Response:
    """How many frames a video has that Load Seedance Video offers, and its rate: for the player on the node."""

    def answer(_: Mapping[str, object]) -> VideoInfo:
        from ..video.errors import VideoError
        from ..video.probe import probe

        file = find_video(request.query.get("name"))
        try:
            if file:
                return probe(file)
        except VideoError:
            pass
        raise web.HTTPNotFound(text="There is no such video in ComfyUI's folders, or it cannot be read.")

    return await _route(answer)(request)


def _settings() -> TokenSettings:
    from .settings import TokenSettings

    return TokenSettings(shared().engine.folders.token, os.environ)


def _route(
    answer: Callable[[Mapping[str, object]], About | Check | TokenState | VideoInfo],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers with a value, as JSON. What only reads has no body; all else must bring a JSON object.

    Args:
        answer: blocks, and so is called in a thread.
    """

    async def handler(request: web.Request) -> web.Response:
        from .settings import SettingsError

        try:
            if is_cross_site(request.headers):
                raise web.HTTPForbidden(text=CROSS_SITE)
            body = {} if request.method in ("GET", "HEAD") else await _body(request)
            found, status = asdict(await asyncio.to_thread(answer, body)), 200
        except SettingsError as error:
            found, status = {"error": str(error)}, 400
        except web.HTTPClientError as refused:
            found, status = {"error": refused.text}, refused.status
        return web.json_response(found, status=status, headers={"Cache-Control": "no-store"})

    return handler


async def _body(request: web.Request) -> Mapping[str, object]:
    """The JSON object that was sent. Raises an error of HTTP, which quotes nothing of it."""
    # A form of another site's page cannot be sent as JSON.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="The body must be JSON.")
    if request.content_length is None or request.content_length > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0, text="The body is too large.")
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    return found
