"""The same request finds its own job; nothing is bought twice."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.jobs.errors import (
    DeadlinePassed,
    Forgotten,
    GenerationError,
    JobFailed,
    JournalUnusable,
    OutcomeUnknown,
)
from nodes.jobs.services import Video
from nodes.runcomfy.client import RunComfy
from nodes.runcomfy.errors import NoReply
from tests.support.fake_runcomfy import BOAT, Play, reply


def test_a_finished_video_is_loaded_without_a_call(play: Play) -> None:
    first = play.run()
    calls = len(play.service.calls)
    again = play.run()
    assert len(play.service.calls) == calls
    assert again == replace(first, elapsed=0.0, reused=True)


def test_reuse_off_buys_anew(play: Play) -> None:
    assert play.run().request_id == "job-1"
    assert play.run(reuse=False).request_id == "job-2"
    assert play.run().request_id == "job-2"
    assert sorted(path.name for path in (play.folder / "videos").iterdir()) == ["job-1.mp4", "job-2.mp4"]


@pytest.mark.parametrize("reuse", [True, False])
def test_an_unfinished_job_is_picked_up_whatever_reuse_says(play: Play, reuse: bool) -> None:
    play.change(deadline=10.0)
    with pytest.raises(GenerationError):
        play.run()
    play.restart()
    assert play.run(reuse=reuse).request_id == "job-1"
    assert play.service.count("submit") == 1


@pytest.mark.parametrize(
    "change", [{"text": "B"}, {"seed": 1}, {"duration": 3}, {"ratio": "1:1"}, {"resolution": "720p"}], ids=str
)
def test_another_request_is_another_job(play: Play, change: dict[str, str | int]) -> None:
    play.run()
    assert play.run(replace(BOAT, **change)).request_id == "job-2"  # type: ignore[arg-type]  # BOAT's own fields


def test_a_new_token_of_the_same_account_finds_the_jobs_of_the_old_one(play: Play) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(account="a new token", deadline=1800.0)
    assert play.run().request_id == "job-1"
    assert play.run().reused
    assert play.service.count("submit") == 1


def test_another_account_buys_its_own_while_a_job_is_not_finished(play: Play) -> None:
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(account="another", deadline=1800.0)
    play.service.script["status"].append(reply(403))
    assert play.run().request_id == "job-2"


def test_equal_requests_side_by_side_are_not_bought_after_an_unclear_submission(play: Play) -> None:
    async def both() -> tuple[Video | BaseException, Video | BaseException]:
        return await asyncio.gather(play.generate(), play.generate(), return_exceptions=True)

    play.service.script["submit"].append(NoReply("time-out"))
    assert [type(result) for result in asyncio.run(both())] == [OutcomeUnknown, OutcomeUnknown]
    assert play.service.count("submit") == 1
    assert play.run().request_id == "job-1"


def test_what_becomes_of_a_job_that_was_taken_over_is_written_down(play: Play) -> None:
    """Else every later run would tell of the same failure, and never buy."""
    abandon(play)
    good, play.service.ending = play.service.ending, {"status": "failed"}
    play.change(account="a new token")
    with pytest.raises(JobFailed):
        play.run()
    assert play.states() == ["failed"]
    play.service.ending = good
    assert play.run().request_id == "job-2"


def test_with_reuse_off_a_finished_job_of_another_token_is_not_taken_over(play: Play) -> None:
    play.run()
    play.change(account="a new token")
    assert play.run(reuse=False).request_id == "job-2"
    assert play.run(reuse=False).request_id == "job-3"


def test_a_deleted_file_of_another_tokens_job_is_fetched_again_for_free(play: Play) -> None:
    play.run().files[0].unlink()
    play.change(account="a new token")
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_a_service_that_never_had_the_job_does_not_make_its_owner_buy_again(play: Play) -> None:
    """A job of the live account is looked for with another token, or at another service; that costs nothing."""
    abandon(play)
    play.service.forgotten.add("job-1")
    play.change(account="another service's")
    with pytest.raises(Forgotten):
        asyncio.run(play.fetch("job-1"))
    assert play.states() == ["accepted"]
    play.service.forgotten.clear()
    play.change(account="account")
    assert play.run().request_id == "job-1"


def test_equal_requests_side_by_side_share_a_refusal(play: Play) -> None:
    """Nobody can know whether a refused prompt is charged; so it is not sent five times."""
    play.service.ending = {"status": "failed", "error": "Content moderation failed."}

    async def five() -> list[Video | BaseException]:
        return await asyncio.gather(*(play.generate() for _ in range(5)), return_exceptions=True)

    assert {type(outcome) for outcome in asyncio.run(five())} == {JobFailed}
    assert play.service.count("submit") == 1
    with pytest.raises(JobFailed):
        play.run()
    assert play.service.count("submit") == 2  # running again tries again


def test_another_model_finds_no_job_of_this_one(play: Play) -> None:
    play.run()
    play.change(client=RunComfy(play.service, "", "bytedance/another"))
    assert play.run().request_id == "job-2"


def test_two_runs_side_by_side_share_one_job(play: Play) -> None:
    async def both() -> tuple[Video, Video]:
        return await asyncio.gather(play.generate(), play.generate())

    one, two = asyncio.run(both())
    assert one.files == two.files
    assert sorted((one.reused, two.reused)) == [False, True]
    assert play.service.count("submit") == 1
    assert play.said("being generated already; waiting for it") == 1


def test_a_run_that_waited_for_a_failed_one_takes_over(play: Play) -> None:
    async def both() -> tuple[Video | BaseException, Video | BaseException]:
        return await asyncio.gather(play.generate(), play.generate(), return_exceptions=True)

    play.change(deadline=17.0)
    results = asyncio.run(both())
    assert play.service.count("submit") == 1
    assert sum(isinstance(result, Video) for result in results) == 1


def test_different_requests_run_side_by_side(play: Play) -> None:
    async def all_of_them() -> list[Video]:
        requests = [replace(BOAT, seed=seed) for seed in range(20)]
        return await asyncio.gather(*(play.generate(request) for request in requests))

    videos = asyncio.run(all_of_them())
    assert len({video.request_id for video in videos}) == 20
    kinds = [kind for kind, _ in play.service.calls]
    # How many got their turn before the first one ended is up to the threads; one alone would be one after the other.
    assert kinds[: kinds.index("result")].count("submit") > 1


def test_a_cancelled_run_cancels_nothing_and_the_next_one_collects(play: Play) -> None:
    async def cut_off() -> None:
        run = asyncio.create_task(play.generate())
        while not play.service.count("status"):  # noqa: ASYNC110 - no more than a turn of the loop each
            await asyncio.sleep(0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(cut_off())
    assert play.service.count("cancel") == 0
    assert play.states() == ["accepted"]
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_a_run_cut_off_within_the_paid_call_still_writes_the_job_down(play: Play) -> None:
    over = threading.Event()

    async def cut_off() -> None:
        loop, run = asyncio.get_running_loop(), asyncio.create_task(play.generate())
        run.add_done_callback(lambda _: over.set())

        def cancel_and_let_it_be_seen() -> None:
            loop.call_soon_threadsafe(run.cancel)
            assert over.wait(30)

        play.service.before["submit"] = cancel_and_let_it_be_seen
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(cut_off())
    del play.service.before["submit"]
    assert play.states() == ["accepted"]
    assert play.run().request_id == "job-1"
    assert play.service.count("submit") == 1


def test_a_job_of_elsewhere_is_fetched_by_its_id(play: Play) -> None:
    play.service.accepted["job-77"] = play.clock.now
    video = asyncio.run(play.fetch("job-77"))
    assert [file.name for file in video.files] == ["job-77.mp4"]
    assert play.service.count("submit") == 0
    assert play.states() == []
    assert asyncio.run(play.fetch("job-77")).reused


def test_a_job_of_ours_is_fetched_into_its_own_entry(play: Play) -> None:
    play.change(deadline=10.0)
    with pytest.raises(GenerationError):
        play.run()
    play.change(deadline=60.0)
    assert asyncio.run(play.fetch("job-1")).request_id == "job-1"
    assert play.states() == ["saved"]


def test_an_id_that_the_service_does_not_have_is_said(play: Play) -> None:
    with pytest.raises(Forgotten, match="no longer has this job"):
        asyncio.run(play.fetch("job-404"))


def test_a_spoilt_journal_hides_no_finished_file(play: Play) -> None:
    file = play.run().files[0]
    play.entries()  # with the last record written, nobody opens the journal again
    play.journal.close()
    (play.folder / "private" / "jobs.sqlite3").write_bytes(b"not a database" * 500)
    with pytest.raises(JournalUnusable):
        play.run()
    assert asyncio.run(play.fetch("job-1")).files == (file,)
    assert play.service.count("submit") == 1


def test_videos_and_records_lie_apart(play: Play, tmp_path: Path) -> None:
    play.run()
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["job-1.mp4"]


def abandon(play: Play) -> None:
    """A job under way that nobody waits for."""
    deadline = play.means.deadline
    play.change(deadline=5.0)
    with pytest.raises(DeadlinePassed):
        play.run()
    play.change(deadline=deadline)
