"""What was paid for is collected by running the same graph again; after a crash, too: see `test_money.py`."""

from __future__ import annotations

from pathlib import Path

from tests.comfyui.conftest import ServiceLog, lines
from tests.comfyui.seedance_graphs import PROBE, generation, loading
from tests.comfyui.test_stop import once_generating, run_and_stop
from tools.comfyui_client import Client, Run, Status


def request_id(run: Run) -> str:
    return str(run.outputs[PROBE]["probe"][0]["scalars"]["request_id"])


def test_a_job_that_stop_could_not_cancel_is_collected_by_the_next_run(
    client: Client, service_log: ServiceLog, prompt: str
) -> None:
    service_log.service.hold()
    stopped = run_and_stop(client, generation(prompt), once_generating(service_log))
    assert not service_log.submissions[0].cancelled
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
