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
from .pack import PACK, Pack, pack
from .prompt import drop_wrong_types

if TYPE_CHECKING:
    from .token_settings import Check, TokenSettings, TokenState
    from .version import About

LARGEST_BODY: Final = 4096
"""Bytes; a token and the JSON around it."""
CROSS_SITE: Final = (
    "Only ComfyUI's own pages may ask this, opened over https, by IP address, or by a name that only this machine or "
    "its network knows. Where that cannot be, or a proxy changes the Host header, set the environment variable "
    "RUNCOMFY_API_TOKEN instead."
)


def register() -> None:
    """Add the pack to ComfyUI's server, once, while it loads its packs: what it shares, its hooks and its routes."""
    server = PromptServer.instance
    shared = server.app[PACK] = Pack()
    # A pack that is imported once more while the server runs comes too late for these; Stop is watched all the same.
    if not server.app.frozen:
        server.app.middlewares.append(shared.stops.middleware())
        server.app.on_cleanup.append(shared.close)
    server.add_on_prompt_handler(drop_wrong_types)
    routes = server.routes
    routes.get("/seedance/about")(_route(_about))
    routes.get("/seedance/token")(_route(_state))
    routes.post("/seedance/token")(_route(_save))
    routes.delete("/seedance/token")(_route(_clear))
    routes.post("/seedance/token/check")(_route(_check))


async def _about(_: Mapping[str, object]) -> About:
    from .version import about

    return about()


async def _state(_: Mapping[str, object]) -> TokenState:
    return await asyncio.wrap_future(pack().engine.executors.journal.submit(_settings().state))


async def _save(body: Mapping[str, object]) -> TokenState:
    text = body.get("token")
    if not isinstance(text, str) or not text.strip():
        raise _Refused(400, "The body needs a token, as a text.")
    return await asyncio.wrap_future(pack().engine.executors.journal.submit(_settings().save, text))


async def _clear(_: Mapping[str, object]) -> TokenState:
    return await asyncio.wrap_future(pack().engine.executors.journal.submit(_settings().clear))


async def _check(_: Mapping[str, object]) -> Check:
    return await asyncio.wrap_future(pack().engine.executors.calls.submit(_settings().check))


def _settings() -> TokenSettings:
    from .token_settings import TokenSettings

    return TokenSettings(pack().engine.folders.token, os.environ)


class _Refused(Exception):
    """This is no request of ours. ``str()`` says why, and quotes nothing of it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def _route(
    answer: Callable[[Mapping[str, object]], Awaitable[About | Check | TokenState]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers with a value, as JSON. What only reads has no body; all else must bring a JSON object."""

    async def handler(request: web.Request) -> web.Response:
        from .token_settings import SettingsError

        try:
            if is_cross_site(request.headers):
                raise _Refused(403, CROSS_SITE)
            body = {} if request.method in ("GET", "HEAD") else await _body(request)
            found, status = asdict(await answer(body)), 200
        except _Refused as refused:
            found, status = {"error": str(refused)}, refused.status
        except SettingsError as error:
            found, status = {"error": str(error)}, 400
        return web.json_response(found, status=status, headers={"Cache-Control": "no-store"})

    return handler


async def _body(request: web.Request) -> Mapping[str, object]:
    """The JSON object that was sent; an empty body is an empty one."""
    # A form of another site's page cannot be sent as JSON.
    if request.content_type != "application/json":
        raise _Refused(415, "The body must be JSON.")
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > LARGEST_BODY:
            raise _Refused(413, "The body is too large.")
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refused(400, "The body must be a JSON object.")
    return found
