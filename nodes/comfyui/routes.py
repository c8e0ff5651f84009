"""What the browser asks the server: the token, prices and the budget, the jobs, a video's facts.

Imported at the first request, not when ComfyUI starts. Each function may block for a moment, or for as long as RunComfy
takes to answer. It returns what JSON can hold, a whole response, or an awaitable. If it raises `Refused` or an error
for users, the browser gets the sentences in English and as `texts`, see `as_json`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import Final

from aiohttp import web

from ..engine import Engine
from ..errors import SeedanceError
from ..files import remove_private
from ..jobs import listing
from ..jobs.budget import BUDGET_VARIABLE, in_usd
from ..jobs.quote import price_text
from ..jobs.waiting import Run
from ..runcomfy.errors import MissingToken
from ..runcomfy.request import MAX_COUNT, GenerationRequest, check_number, is_request_id
from ..runcomfy.token import find_token, save_token, saved_token, variable_in_use
from ..texts import Text
from .guarded_route import Params, Refused, in_texts, sentences

MAX_SEARCH_LENGTH: Final = 200
"""Letters to search for."""
DONE: Final = {"done": True}


def get_token(engine: Engine, _: Params) -> object:
    """Which token is in use, never the token itself.

    `source`: `saved`, an environment variable's name, or None; `saved`: whether one is, which goes before any
    variable; `variable`: the first one that is set; `problem`: why the one in use cannot be used, if that is seen
    without asking RunComfy.
    """
    file, environment = engine.folders.token, engine.environment
    variable, saved, problem = variable_in_use(environment), True, tuple[str, ...]()
    try:
        saved = bool(saved_token(file))
        if saved or variable:
            find_token(environment, file)
    except MissingToken as error:
        problem = sentences(error)
    source = "saved" if saved else variable
    return {"source": source, "saved": saved, "variable": variable, **in_texts("problem", problem)}


def post_token(engine: Engine, asked: Params) -> object:
    token = asked.get("token")
    save_token(token if isinstance(token, str) else "", engine.folders.token)
    return get_token(engine, asked)


def delete_token(engine: Engine, asked: Params) -> object:
    remove_private(engine.folders.token)
    return get_token(engine, asked)


def check_token(engine: Engine, _: Params) -> object:
    """What RunComfy says to it: asks for the model's page, which is free and needs a token that is valid."""
    try:
        client = engine.live_account().client
        price = price_text(client.model_info())
    except SeedanceError as error:
        return {"ok": False, **in_texts("message", sentences(error))}
    costs = (Text("costs", price=price),) if price else ()
    return {"ok": True, **in_texts("message", (Text("tokenAccepted", source=client.token_source), *costs))}


def quote(engine: Engine, asked: Params) -> object:
    """What a Seedance Text to Video node would cost; for one video where its text is not known before it runs."""
    text, count = asked.get("text"), asked.get("count", 1)
    options = {name: asked[name] for name in ("resolution", "ratio", "duration", "seed") if name in asked}
    # A text that comes through a link is not known yet; a random one, which no job has, stands for it.
    options["text"] = secrets.token_hex() if text is None else text
    first = GenerationRequest(**options)  # type: ignore[arg-type]  # it checks them all
    check_number("count", count, 1, MAX_COUNT)
    number = 1 if text is None or not isinstance(count, int) else count
    requests = [replace(first, seed=first.seed + place) for place in range(number)]
    rehearsal, reuse = asked.get("mode") == "rehearsal", asked.get("reuse", True) is True
    found = engine.quote(requests, rehearsal=rehearsal, reuse=reuse)
    price = {"kind": found.kind.value, "usd": in_usd(found.amount), "is_base": found.is_base}
    videos = {"videos": found.videos, "to_buy": found.to_buy}
    return {**price, **videos, "duration": first.duration, "resolution": first.resolution}


def get_budget(engine: Engine, _: Params) -> object:
    """What may be spent in 24 hours, and what is, in US dollars; no limit is 0."""
    limit, spent = engine.budget.limit(), engine.journal.spent()
    frees_at = spent.frees_at()
    frees = frees_at and datetime.fromtimestamp(frees_at, timezone.utc).isoformat(timespec="seconds")
    return {
        "limit": in_usd(limit.amount) or 0,
        "spent": in_usd(spent.amount) or 0,
        "by_environment": limit.place == BUDGET_VARIABLE,  # whatever is saved
        "frees_at": frees,
    }


def post_budget(engine: Engine, asked: Params) -> object:
    engine.budget.save(asked.get("limit"))
    return get_budget(engine, asked)


def get_jobs(engine: Engine, asked: Params) -> object:
    before, group, words = (str(asked.get(name, "")) for name in ("before", "state", "q"))
    is_number = before.isdecimal() and len(before) < len(str(2**63))
    if (before and not is_number) or (group and group not in listing.GROUPS):
        raise Refused(400, Text("refused.noJob"))
    number, folder = int(before) if before else None, engine.folders.videos
    return listing.page(engine.journal, folder, before=number, group=group, words=words[:MAX_SEARCH_LENGTH])


def get_csv(engine: Engine, _: Params) -> web.Response:
    headers = {"Content-Disposition": 'attachment; filename="seedance-jobs.csv"'}
    return web.Response(text=listing.as_csv(engine.journal), content_type="text/csv", headers=headers)


async def fetch(engine: Engine, asked: Params) -> object:
    """Waits until the video of a job that was paid for is on disk. Never buys.

    Runs in the server's event loop, since it may take half an hour: the server has as few as six threads, in which it
    also reads the files that it serves.
    """
    run = Run(secrets.token_hex(), "", lambda _: None, lambda: False)
    await engine.fetch_job(_request_id(asked), run)
    return DONE


def link(engine: Engine, asked: Params) -> object:
    number, request_id = _number(asked), _request_id(asked)
    listing.link_request_id(engine.live_account(), number, request_id)
    return DONE


def submit_again(engine: Engine, asked: Params) -> object:
    listing.submit_again(engine.journal, engine.reports, _number(asked))
    return DONE


def video_facts(asked: Params) -> object:
    """The frames, size and rate of a video that Load Seedance Video offers, for the player on the node."""
    from ..video.errors import VideoError
    from ..video.probe import probe
    from .videos import find_video  # needs ComfyUI, without which tests use this module

    file = find_video(asked.get("name"))
    with suppress(VideoError):
        if file:
            info = probe(file)
            return {"frames": info.frames, "width": info.width, "height": info.height, "fps": info.fps}
    raise Refused(404, Text("refused.noVideo"))


def _number(asked: Params) -> int:
    number = asked.get("id")
    if not isinstance(number, int) or not 0 < number < 2**63:
        raise Refused(400, Text("refused.noJob"))
    return number


def _request_id(asked: Params) -> str:
    request_id = asked.get("request_id")
    if not is_request_id(request_id):
        raise Refused(400, Text("refused.requestId"))
    return request_id


ANSWERS: Final[Mapping[str, Callable[[Engine, Params], object]]] = {
    "GET token": get_token,
    "POST token": post_token,
    "DELETE token": delete_token,
    "POST token/check": check_token,
    "POST quote": quote,
    "GET budget": get_budget,
    "POST budget": post_budget,
    "GET jobs": get_jobs,
    "GET jobs/totals": lambda engine, _: listing.totals(engine.journal),
    "GET jobs.csv": get_csv,
    "POST jobs/fetch": fetch,
    "POST jobs/link": link,
    "POST jobs/submit_again": submit_again,
}
