"""What was paid for is collected by running the same graph again."""

from __future__ import annotations

import time
from pathlib import Path

from tests.comfyui.conftest import PATIENCE, TOKEN, ServiceLog, lines, started
from tests.comfyui.seedance_graphs import PROBE, generation, loading
from tests.comfyui.test_stop import once_generating, run_and_stop
from tests.support.rehearsal import RehearsalService
from tools.comfyui_client import Client, Run, Status


def request_id(run: Run) -> str:
    return str(run.outputs[PROBE]["probe"][0]["scalars"]["request_id"])


def test_a_killed_server_finds_its_job_again(
    service: RehearsalService, service_log: ServiceLog, prompt: str, tmp_path: Path
) -> None:
    with started(tmp_path, {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_API_TOKEN": TOKEN}) as server:
        service.hold()
        with Client(server.url) as client:
            client.queue(generation(prompt))
            ends = time.monotonic() + PATIENCE
            while not service_log.submissions and time.monotonic() < ends:
                time.sleep(0.01)  # a real server, watched from outside
            service_log.hold_once_running()
        server.kill()
        service.release()
        server.start()
        with Client(server.url) as client:
            run = client.run(generation(prompt))
    assert run.status is Status.SUCCESS
    assert [submission.request_id for submission in service_log.submissions] == [request_id(run)]


def test_a_job_that_stop_could_not_cancel_is_collected_by_the_next_run(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    service_log.service.hold()
    stopped = run_and_stop(client, generation(prompt), once_generating(service_log))
    last_words = lines(stopped)[-1]
    assert "is running already and will be charged" in last_words
    assert "run the same graph again to collect its video without a new charge" in last_words

    service_log.service.release()
    run = client.run(generation(prompt))
    assert run.status is Status.SUCCESS
    assert [submission.request_id for submission in service_log.submissions] == [request_id(run)]
    assert request_id(run) in last_words


def test_a_finished_video_whose_file_was_deleted_is_fetched_again(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    first = client.run(generation(prompt))
    file = Path(first.outputs[PROBE]["probe"][0]["scalars"]["video_path"])
    content = file.read_bytes()
    file.unlink()
    again = client.run(loading(video="", source=request_id(first)))
    assert again.status is Status.SUCCESS
    assert file.read_bytes() == content
    assert len(service_log.submissions) == 1
