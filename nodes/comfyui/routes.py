"""What the browser asks the server: the token, prices and the budget, the jobs, a video's facts, the pack's version.

What would slow ComfyUI's start down is imported when somebody asks.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..runcomfy.errors import InvalidRequest
from ..runcomfy.request import MAX_COUNT, GenerationRequest, is_request_id, validate_number
from ..texts import Text
from .guarded_route import Handler, Params, Refused, in_texts, sentences

if TYPE_CHECKING:
    from ..engine import Engine

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
MAX_WORDS: Final = 200
"""Letters to search for."""
DONE: Final = {"done": True}


@dataclass(frozen=True)
class Routes:
    """Each route's answer. They block: for a moment, or as long as RunComfy takes where they ask it."""

    engine: Callable[[], Engine]
    environment: Mapping[str, str]
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of the prompts that are running or waiting."""

    def table(self) -> tuple[tuple[str, str, Handler], ...]:
        return (
            ("GET", "/seedance/about", lambda _: about()),
            ("GET", "/seedance/video", video_facts),
            ("GET", "/seedance/token", lambda _: self.token()),
            ("POST", "/seedance/token", self.save_token),
            ("DELETE", "/seedance/token", self.clear_token),
            ("POST", "/seedance/token/check", self.check_token),
            ("POST", "/seedance/quote", self.quote),
            ("GET", "/seedance/budget", lambda _: self.budget()),
            ("POST", "/seedance/budget", self.save_budget),
            ("GET", "/seedance/jobs", self.jobs),
            ("GET", "/seedance/jobs/totals", self.totals),
            ("GET", "/seedance/jobs.csv", self.csv),
            ("POST", "/seedance/jobs/fetch", self.fetch),
            ("POST", "/seedance/jobs/link", self.link),
            ("POST", "/seedance/jobs/submit_again", self.submit_again),
        )

    def token(self) -> object:
        """Which token is in use, never the token itself.

        `source`: `saved`, an environment variable's name, or None; `saved`: whether one is, which goes before any
        variable; `variable`: the first one that is set; `problem`: why the one in use cannot be used, as far as that
        shows without asking RunComfy.
        """
        from ..runcomfy.errors import MissingToken
        from ..runcomfy.token import find_token, is_saved, variable_in_use

        variable, file = variable_in_use(self.environment), self._token_file
        saved, problem = True, tuple[str, ...]()
        try:
            saved = is_saved(file)
            if saved or variable:
                find_token(self.environment, file)
        except MissingToken as error:
            problem = sentences(error)
        source = "saved" if saved else variable
        return {"source": source, "saved": saved, "variable": variable, **in_texts("problem", problem)}

    def save_token(self, asked: Params) -> object:
        from ..runcomfy.token import save_token

        token = asked.get("token")
        save_token(token if isinstance(token, str) else "", self._token_file)
        return self.token()

    def clear_token(self, _: Params) -> object:
        from ..runcomfy.token import clear_token

        clear_token(self._token_file)
        return self.token()

    def check_token(self, _: Params) -> object:
        """What RunComfy says to it: asks for the model's page, which is free and needs a token that is valid."""
        from ..jobs.quote import price_of
        from ..runcomfy.client import HttpTransport, RunComfy
        from ..runcomfy.errors import RunComfyError
        from ..runcomfy.token import api_origin, find_token

        try:
            token = find_token(self.environment, self._token_file)
            model = RunComfy(HttpTransport(api_origin(self.environment), token), token.source).model_info()
        except RunComfyError as error:
            return {"ok": False, **in_texts("message", sentences(error))}
        price = price_of(model)
        costs = (Text("costs", price=price),) if price else ()
        return {"ok": True, **in_texts("message", (Text("tokenAccepted", source=token.source), *costs))}

    def quote(self, asked: Params) -> object:
        """What a Seedance Text to Video node would cost; for one video where its text is not known before it runs."""
        from ..jobs.budget import in_usd

        text, count = asked.get("text"), asked.get("count", 1)
        options = {name: asked[name] for name in ("resolution", "ratio", "duration", "seed") if name in asked}
        # What comes through a link can be any text, so it is one here that no job has.
        options["text"] = secrets.token_hex() if text is None else text
        first = GenerationRequest(**options)  # type: ignore[arg-type]  # it checks them all
        if problem := validate_number("count", count, 1, MAX_COUNT):
            raise InvalidRequest(problem)
        number = 1 if text is None or not isinstance(count, int) else count
        requests = [replace(first, seed=first.seed + place) for place in range(number)]
        rehearsal, reuse = asked.get("mode") == "rehearsal", asked.get("reuse", True) is True
        found = self.engine().quote(requests, rehearsal=rehearsal, reuse=reuse)
        price = {"kind": found.kind.value, "usd": in_usd(found.amount), "is_base": found.is_base}
        videos = {"videos": found.videos, "to_buy": found.to_buy}
        return {**price, **videos, "duration": first.duration, "resolution": first.resolution}

    def budget(self) -> object:
        """What may be spent in 24 hours, and what is, in US dollars; no limit is 0."""
        from ..jobs.budget import in_usd

        engine = self.engine()
        limit, spent = engine.budget.limit(), engine.journal.spending.spent()
        frees_at = datetime.fromtimestamp(spent.frees_at, timezone.utc) if spent.frees_at else None
        return {
            "limit": in_usd(limit.amount) or 0,
            "spent": in_usd(spent.amount) or 0,
            "by_environment": engine.budget.by_environment,  # whatever is saved
            "frees_at": frees_at and frees_at.isoformat(timespec="seconds"),
        }

    def save_budget(self, asked: Params) -> object:
        self.engine().budget.save(asked.get("limit"))
        return self.budget()

    def jobs(self, asked: Params) -> object:
        from ..jobs.listing import GROUPS, page

        before, group, words = (str(asked.get(name, "")) for name in ("before", "state", "q"))
        if (before and not before.isdecimal()) or len(before) > len(str(2**63)) - 1 or (group and group not in GROUPS):
            raise Refused(400, Text("refused.noJob"))
        engine = self.engine()
        number = int(before) if before else None
        return page(engine.journal, engine.folders.videos, before=number, group=group, words=words[:MAX_WORDS])

    def totals(self, _: Params) -> object:
        from ..jobs.listing import totals

        return totals(self.engine().journal)

    def csv(self, _: Params) -> web.Response:
        from ..jobs.listing import as_csv

        headers = {"Content-Disposition": 'attachment; filename="seedance-jobs.csv"'}
        return web.Response(text=as_csv(self.engine().journal), content_type="text/csv", headers=headers)

    def fetch(self, asked: Params) -> Awaitable[object]:
        """Waits until the video of a job that was paid for is on disk. Never buys.

        In the server's event loop: it may take half an hour, and of the threads in which the server also reads the
        files that it serves there are as few as six.
        """
        from ..jobs.job import Run

        engine, request_id = self.engine(), _request_id(asked)
        run = Run(secrets.token_hex(), "", self.queued_prompts, lambda _: None, lambda: False)

        async def fetched() -> object:
            await engine.fetch_job(request_id, run)
            return DONE

        return fetched()

    def link(self, asked: Params) -> object:
        self.engine().link(_number(asked), _request_id(asked))
        return DONE

    def submit_again(self, asked: Params) -> object:
        self.engine().submit_again(_number(asked), self.queued_prompts())
        return DONE

    @property
    def _token_file(self) -> Path:
        return self.engine().folders.token


def about() -> dict[str, str]:
    """The pack's version and repository, as in pyproject.toml, the one place where they are written."""
    # Not tomllib: Python 3.10 has none.
    text = PROJECT.read_text(encoding="utf-8")
    found = re.findall(r'^(version|Repository) = "([^"]+)"$', text, re.MULTILINE)
    return {name.lower(): value for name, value in found}


def video_facts(asked: Params) -> object:
    """How many frames a video has that Load Seedance Video offers, and its rate: for the player on the node."""
    from ..video.errors import VideoError
    from ..video.probe import probe
    from .files import find_video  # which needs ComfyUI; tools and tests read this file without it

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
