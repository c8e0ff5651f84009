"""From a request to its video, exactly once: decide by what the journal says, do that, and decide again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from ..errors import StopRequested
from ..runcomfy.request import GenerationRequest
from .account import Services, Video
from .errors import OutcomeUnknown, Stopped
from .events import StopReport
from .job import Run
from .runner import JobRun
from .states import State
from .stop import stop_job, stop_report


class JobRunner:
    """Generates, and finds again, the videos of one account."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, request: GenerationRequest, run: Run, *, reuse: bool) -> Video:
        """The video of a request: from disk, from an earlier job, or bought.

        Args:
            reuse: whether a finished video of the same request will do, rather than one new video per run.

        Raises:
            SeedanceError: no video; the message says whether anything was charged.
            Stopped: the user pressed Stop; says what became of the job.
        """
        job_run = JobRun(self._services, run)
        return await self._guarded(job_run, job_run.run(request, reuse), may_cancel=True)

    async def resume(self, request_id: str, run: Run) -> Video:
        """The video of a job that was submitted before, here or elsewhere; waits for it if need be.

        Raises as `run` does. Stop leaves the job alone.
        """
        job_run = JobRun(self._services, run)
        return await self._guarded(job_run, job_run.resume(request_id), may_cancel=False)

    async def _guarded(self, job_run: JobRun, work: Coroutine[None, None, Video], *, may_cancel: bool) -> Video:
        """Do ``work``; however it ends, say the truth about the job and free what was claimed."""
        try:
            return await work
        except StopRequested:
            stopping = asyncio.ensure_future(self._stop(job_run, may_cancel))
            try:
                report = await asyncio.shield(stopping)
            except asyncio.CancelledError:
                # Another node has stopped already, at which ComfyUI ends all others: nothing raised here is read.
                await self._show(job_run, stopping)
                raise
            raise Stopped(str(report), report.outcome) from None
        except asyncio.CancelledError:
            # A failed sibling node, which is no reason to give up a paid job; or Stop, seen by somebody else first.
            if job_run.cancellation.is_stopped():
                await self._show(job_run, asyncio.ensure_future(self._stop(job_run, may_cancel)))
            else:
                job_run.submit_call.cancel()
                job_run.cancellation.report(stop_report(job_run.record, "Another node ended this run"))
            raise
        finally:
            # Not before a submit call under way has ended, whose job the next run must see.
            job_run.submit_call.on_done(job_run.close)

    async def _stop(self, job_run: JobRun, may_cancel: bool) -> StopReport:
        """What becomes of the job of a stopped run. Raises `OutcomeUnknown` where its submit call ended unclearly."""
        await job_run.submit_call.wait()
        record = job_run.record
        if record and record.state is State.UNKNOWN:
            await job_run.raise_end(record)
        if may_cancel:
            return await stop_job(self._services, job_run.cancellation.report, record, job_run.owner)
        return stop_report(record, "Stopped")

    async def _show(self, job_run: JobRun, stopping: asyncio.Future[StopReport]) -> None:
        """Show what becomes of a job where it cannot be raised; an unclear outcome stays to be reported."""
        try:
            job_run.cancellation.report(await stopping)
        except OutcomeUnknown:
            if record := job_run.record:
                self._services.unread.not_read(record)
