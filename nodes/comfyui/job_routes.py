"""What the jobs panel asks the server: the jobs, what they came to, and what may be done about one.

Answers under the same rule as the settings panel's routes. What is in `jobs` is imported when somebody asks.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..runcomfy.request import is_request_id

if TYPE_CHECKING:
    from ..engine import Engine
    from ..jobs.listing import Page, Totals

MAX_WORDS: Final = 200
"""Letters to search for."""

Asked = Mapping[str, object]


@dataclass(frozen=True)
class Done:
    """It is."""

    done: bool = True


@dataclass(frozen=True)
class JobRoutes:
    """The answers. All block, for a moment."""

    engine: Callable[[], Engine]
    queued_prompts: Callable[[], frozenset[str]]
    """The ids of the prompts that are running or waiting."""

    def table(self) -> tuple[tuple[str, str, Callable[[Asked], object]], ...]:
        """Method, path and answer of each route."""
        return (
            ("GET", "/seedance/jobs", self.page),
            ("GET", "/seedance/jobs/totals", self.totals),
            ("GET", "/seedance/jobs.csv", self.csv),
            ("POST", "/seedance/jobs/fetch", self.fetch),
            ("POST", "/seedance/jobs/link", self.link),
            ("POST", "/seedance/jobs/submit_again", self.submit_again),
        )

    def page(self, asked: Asked) -> Page:
        from ..jobs.listing import GROUPS, page

        before, group, words = (str(asked.get(name, "")) for name in ("before", "state", "q"))
        if (before and not before.isdecimal()) or len(before) > len(str(2**63)) - 1 or (group and group not in GROUPS):
            raise web.HTTPBadRequest(text="There are no such jobs.")
        engine = self.engine()
        number = int(before) if before else None
        return page(engine.journal, engine.folders.videos, before=number, group=group, words=words[:MAX_WORDS])

    def totals(self, _: Asked) -> Totals:
        from ..jobs.listing import totals

        return totals(self.engine().journal)

    def csv(self, _: Asked) -> web.Response:
        from ..jobs.listing import as_csv

        headers = {"Content-Disposition": 'attachment; filename="seedance-jobs.csv"'}
        return web.Response(text=as_csv(self.engine().journal), content_type="text/csv", headers=headers)

    def fetch(self, asked: Asked) -> Awaitable[Done]:
        """Waits until the video of a job that was paid for is on disk. Never buys.

        In the server's event loop: it may take half an hour, and of the threads in which the server also reads the
        files that it serves there are as few as six.
        """
        from ..jobs.job import Run

        engine, request_id = self.engine(), _request_id(asked)
        run = Run(secrets.token_hex(), "", self.queued_prompts, lambda _: None, lambda: False)

        async def fetched() -> Done:
            await engine.fetch_job(request_id, run)
            return Done()

        return fetched()

    def link(self, asked: Asked) -> Done:
        self.engine().link(_number(asked), _request_id(asked))
        return Done()

    def submit_again(self, asked: Asked) -> Done:
        self.engine().submit_again(_number(asked), self.queued_prompts())
        return Done()


def _number(asked: Asked) -> int:
    number = asked.get("id")
    if not isinstance(number, int) or not 0 < number < 2**63:
        raise web.HTTPBadRequest(text="There is no such job.")
    return number


def _request_id(asked: Asked) -> str:
    request_id = asked.get("request_id")
    if not is_request_id(request_id):
        raise web.HTTPBadRequest(text="A request id consists of letters, digits, - and _.")
    return request_id
