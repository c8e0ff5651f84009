"""The films' files: how many there are, for how long, and that nobody notices when one was dropped and made again."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from nodes.rehearsal import RehearsalService, Timing, cache, render
from nodes.rehearsal import renderer as renderer_module
from nodes.rehearsal.clock import HoldableClock
from nodes.rehearsal.jobs import Job
from nodes.rehearsal.renderer import Clip, Renderer
from nodes.rehearsal.scene import Scene
from nodes.rehearsal.store import JobStore
from tests.support.rehearsal_client import OWNER, HandClock, RehearsalClient, Stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(stage: Stage) -> Iterator[RehearsalClient]:
    """With a slot for every job."""
    clock = HandClock()
    with RehearsalService(tokens=(OWNER,), clock=clock) as service:
        yield RehearsalClient(service, clock)


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the service keeps its films."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def room_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ROOM", 1)


def ended(client: RehearsalClient, *texts: str) -> list[str]:
    """A succeeded job for each text, whose films were made in this order."""
    jobs = []
    for text in texts:
        jobs.append(client.submit({"text": text, "duration": 2}))
        assert client.service.wait_until_rendered()
    client.clock.pass_by(60)
    assert {client.result(job)["status"] for job in jobs} == {"succeeded"}
    return jobs


def films(temp: Path) -> list[Path]:
    return list(temp.glob("*/*.mp4"))


@pytest.mark.skipif(os.name == "nt", reason="there, a process has no count of them")
def test_no_descriptor_is_held_for_a_film(client: RehearsalClient) -> None:
    client.film(*ended(client, "the first one"))
    before = psutil.Process().num_fds()
    for job in ended(client, *(f"{number}" for number in range(100))):
        assert client.film(job).status_code == 200
    assert psutil.Process().num_fds() - before < 10


def test_only_the_films_last_used_stay_and_every_other_one_is_made_again(
    client: RehearsalClient, stage: Stage, temp: Path
) -> None:
    texts = [f"{number}" for number in range(cache.ROOM + 10)]
    jobs = ended(client, *texts)
    assert len(films(temp)) == cache.ROOM
    assert client.film(jobs[10]).status_code == 200  # now it is the one last used
    assert len(stage.filmed) == len(jobs)
    assert [client.film(job).content[8:].rstrip(b"\0").decode() for job in jobs[:5]] == texts[:5]
    assert stage.filmed == texts + texts[:5]
    assert client.film(jobs[10]).status_code == 200
    assert client.film(jobs[15]).status_code == 200
    assert stage.filmed == [*texts, *texts[:5], texts[15]]
    assert len(films(temp)) == cache.ROOM


def test_what_is_made_again_has_the_same_bytes_and_a_download_goes_on_in_it(
    filming_desk: RehearsalClient, room_for_one: None, tmp_path: Path
) -> None:
    client = filming_desk
    job, other = ended(client, "A paper boat", "Another one")
    begin = client.film(job, Range="bytes=0-9999")
    assert client.film(other).status_code == 200
    rest = client.film(job, Range="bytes=10000-", **{"If-Range": begin.headers["ETag"]})
    assert (begin.status_code, rest.status_code) == (206, 206)
    render.render(Scene("A paper boat", "480p", "16:9", 2, 38810827), tmp_path / "same.mp4")
    assert begin.content + rest.content == (tmp_path / "same.mp4").read_bytes()


def test_a_film_that_is_being_read_stays(client: RehearsalClient, stage: Stage, room_for_one: None, temp: Path) -> None:
    stage.length = 16 * 2**20
    (job,) = ended(client, "long")
    whole = client.film(job).content
    stage.length = 3000
    with client.line() as line:
        line.sendall(f"GET /media/{job}.mp4 HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        begin = line.recv(2000)
        for other in ended(client, "one", "two"):
            assert client.film(other).status_code == 200
        assert max(path.stat().st_size for path in films(temp)) == len(whole)
        rest = b"".join(iter(lambda: line.recv(2**20), b""))
    assert (begin + rest).partition(b"\r\n\r\n")[2] == whole
    ended(client, "three")
    assert len(films(temp)) == 1


def test_while_a_film_is_made_again_its_readers_wait_for_that(
    client: RehearsalClient, stage: Stage, room_for_one: None
) -> None:
    job, *_ = ended(client, "one", "two")
    stage.begun.clear()
    stage.hold()
    with client.line() as first, client.line() as second:
        for line in (first, second):
            line.sendall(f"GET /media/{job}.mp4 HTTP/1.1\r\nRange: bytes=4-7\r\nConnection: close\r\n\r\n".encode())
            assert stage.begun.wait(30)
        stage.release()
        for line in (first, second):
            assert b"".join(iter(lambda: line.recv(4096), b"")).endswith(b"\r\n\r\nftyp")  # noqa: B023 - used at once
    assert stage.filmed == ["one", "two", "one"]


def test_what_a_reader_waits_for_is_made_before_what_jobs_wait_for(
    client: RehearsalClient, stage: Stage, room_for_one: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer_module, "_THREADS", 1)
    job, *_ = ended(client, "one", "two")
    monkeypatch.setattr(cache, "ROOM", 64)  # or the next film might take the place before the reader gets to it
    renderer = client.service._renderer
    stage.hold()
    stage.begun.clear()
    client.submit({"text": "three", "duration": 2})
    assert stage.begun.wait(30)
    for text in ("four", "five"):
        client.submit({"text": text, "duration": 2})
    with client.line() as line:
        line.sendall(f"GET /media/{job}.mp4 HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        with renderer._changed:
            assert renderer._changed.wait_for(lambda: len(renderer._orders) == 3, 30)
        stage.release()
        assert line.recv(15) == b"HTTP/1.1 200 OK"
    assert client.service.wait_until_rendered()
    assert stage.filmed[2:] == ["three", "one", "four", "five"]


def test_a_film_under_way_is_not_begun_twice(client: RehearsalClient, stage: Stage) -> None:
    stage.hold()
    job = client.submit({"text": "one", "duration": 2})
    assert stage.begun.wait(30)
    client.cancel(job)
    client.submit({"text": "one", "duration": 2})
    stage.release()
    assert client.service.wait_until_rendered()
    assert stage.filmed == ["one"]


def test_a_film_that_cannot_be_made_again_can_be_later(
    client: RehearsalClient, stage: Stage, room_for_one: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    job, *_ = ended(client, "one", "two")
    with monkeypatch.context() as patch:
        patch.setattr(render, "render", broken)
        with pytest.raises(requests.ConnectionError):
            client.film(job)
    assert client.film(job).status_code == 200


def test_what_could_not_be_made_once_is_tried_again_for_the_next_job(
    client: RehearsalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(render, "render", broken)
        assert client.finish(client.submit())["status"] == "failed"
    assert client.finish(client.submit())["status"] == "succeeded"


def test_a_folder_that_the_system_tidied_up_is_made_anew(client: RehearsalClient, temp: Path) -> None:
    (job,) = ended(client, "before")
    for folder in temp.iterdir():
        shutil.rmtree(folder)
    assert client.film(job).status_code == 200
    assert client.film(*ended(client, "after")).status_code == 200


def test_what_killed_processes_left_goes_after_a_day(client: RehearsalClient, temp: Path) -> None:
    # Either may be another ComfyUI's; one that has made nothing since yesterday makes its films anew.
    folders = [temp / f"seedance-rehearsal-{name}" for name in ("yesterday", "today")]
    for folder, age in zip(folders, (25, 23), strict=True):
        folder.mkdir()
        (folder / "0.mp4").write_bytes(b"film")
        os.utime(folder, (time.time() - age * 3600,) * 2)
    (temp / "elsewhere").mkdir()
    os.utime(temp / "elsewhere", (0, 0))
    ended(client, "one")
    assert [folder.exists() for folder in folders] == [False, True]
    assert (temp / "elsewhere").exists()


def test_stop_deletes_all_films(client: RehearsalClient, temp: Path) -> None:
    ended(client, "one", "two")
    assert len(films(temp)) == 2
    client.service.stop()
    assert list(temp.iterdir()) == []


def test_the_interpreters_end_deletes_all_films(tmp_path: Path) -> None:
    code = """
import glob, sys, tempfile
from nodes.rehearsal.scene import Scene
from nodes.rehearsal.renderer import Renderer
tempfile.tempdir = sys.argv[1]
renderer = Renderer(float)
renderer.order(Scene("A paper boat", "480p", "16:9", 2, 1))
assert renderer.wait(60)
print(len(glob.glob(sys.argv[1] + "/*/*.mp4")))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_week_of_rehearsals_leaves_a_thousand_lines_and_no_more(stage: Stage, temp: Path) -> None:
    def living() -> tuple[int, int]:
        gc.collect()
        kinds = [type(each) for each in gc.get_objects()]
        return kinds.count(Job), kinds.count(Clip)

    clock = HandClock()
    renderer = Renderer(clock)
    store = JobStore(Timing(), HoldableClock(clock), renderer)
    before = living()
    for hour in range(7 * 24):
        jobs = [store.submit(Scene(f"{hour} {number}", "480p", "16:9", 2, 1), {}, 0) for number in range(10)]
        assert store.cancel(jobs[-1].request_id)
        assert renderer.wait(60)
        clock.pass_by(3700)
    assert store.find("nobody") is None
    after = living()
    renderer.close()
    assert len(store.submissions) == 1000
    assert after[0] - before[0] <= 1000
    assert after[1] - before[1] <= 2, "each thread has its last one at hand"


def test_a_service_that_makes_nothing_makes_no_folder(temp: Path) -> None:
    with RehearsalService(tokens=(OWNER,)) as service:
        assert service.submissions == ()
        assert list(temp.iterdir()) == []
