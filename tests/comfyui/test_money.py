"""The ways to buy a video that nobody wanted for which ComfyUI has a part in it; counted in jobs that the service took.

Named after what happens, with the letters of `tests/jobs/test_money.py`, which has them all on the engine alone, and
`tests/faults` kills it anywhere; of row b, the soak of `tests/tools` kills ComfyUI. This ComfyUI keeps nothing in its
cache, so every run asks the pack. Row f is in `test_stop.py`, m in `test_validation.py`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator

import pytest

from tests.comfyui.conftest import TOKEN, Comfy, happens, lines, request_ids, started, succeeded
from tests.comfyui.seedance_graphs import PROBE, VIDEO, beside_a_sampler, changed, generation, node, output
from tests.support.faulty_service import FaultyService, last
from tests.support.loopback_server import DEADLINE as PATIENCE
from tests.support.rehearsal import RehearsalService
from tests.support.tiny_mp4 import TINY_MP4
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Run, Status


@pytest.fixture(scope="module")
def door(service: RehearsalService) -> Iterator[FaultyService]:
    with FaultyService(service) as door:
        yield door


@pytest.fixture(scope="module")
def server(door: FaultyService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    env = {"RUNCOMFY_API_BASE_URL": door.origin, "RUNCOMFY_API_TOKEN": TOKEN}
    with started(tmp_path_factory.mktemp("comfyui-money"), env, "--cache-none") as server:
        yield server


@pytest.fixture
def client(server: ComfyUI, door: FaultyService) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client
    door.mend()


def assert_unclear(run: Run) -> None:
    """The user has read that it may have been charged, and nothing else."""
    assert run.status is Status.ERROR
    assert re.search(r"ended without a clear answer, .* It may have been charged\.", str(run.error))
    assert not any("Nothing was charged" in line for line in lines(run))


def test_a_the_same_graph_is_queued_four_times_and_each_answer_is_lost(
    comfy: Comfy, door: FaultyService, prompt: str
) -> None:
    all_queued = threading.Event()
    door.lose_request_ids(lambda: all_queued.wait(PATIENCE))
    prompt_ids = [comfy.client.queue(generation(prompt)) for _ in range(4)]
    all_queued.set()
    for prompt_id in prompt_ids:
        assert_unclear(comfy.client.follow(prompt_id))
    assert len(comfy.bought) == 1
    # Whoever queues the graph now has read of it.
    door.mend()
    assert request_ids(comfy.run(generation(prompt))) == [comfy.bought[1]]


def test_a_what_is_skipped_counts_as_read_by_nobody(comfy: Comfy, door: FaultyService, prompt: str) -> None:
    door.lose_request_ids()
    for _ in range(2):
        succeeded(comfy.run(changed(generation(prompt), on_failure="skip")))
    assert_unclear(comfy.run(generation(prompt)))
    assert len(comfy.bought) == 1


def test_a_in_a_loop_nothing_is_skipped_so_that_what_is_unclear_is_read(
    comfy: Comfy, door: FaultyService, prompt: str
) -> None:
    inputs = json.dumps({"text": prompt, "mode": "live", "reuse": True, "on_failure": "skip"})
    added = node("ProbeExpand", class_type="SeedanceTextToVideo", inputs=inputs)
    graph = {"added": added, PROBE: node("ProbeClip", images=["added", 0])}
    door.lose_request_ids()
    assert_unclear(comfy.run(graph))
    door.mend()
    succeeded(comfy.run(graph))
    assert len(comfy.bought) == 2, "once it was read"


def test_what_cannot_be_decoded_right_after_it_was_paid_for_is_said_to_be_charged(
    comfy: Comfy, door: FaultyService, prompt: str
) -> None:
    door.arm("media", lambda _: [last(200, TINY_MP4)])
    said = str(comfy.run(generation(prompt)).error)
    assert "The job was charged." in said
    assert f"Request id: {comfy.bought[0]}." in said


def test_c_a_node_that_wants_a_new_video_is_executed_again_and_again(comfy: Comfy, prompt: str) -> None:
    graph = changed(generation(prompt), reuse=False)
    graph["seen"] = node("ProbeAnything", value=output("images"))
    for runs, rounds in ((1, 1), (2, 3)):
        graph["loop"] = node("ProbeLoop", image=["seen", 0], again=output("images"), rounds=rounds)
        run = comfy.run(graph)
        assert request_ids(run) == [comfy.bought[-1]]
        executed = sum(event.name == "executing" and event.data["node"] == VIDEO for event in run.events)
        assert executed == 2 * rounds
        assert len(comfy.bought) == runs, "one new video a run"


def test_c_a_list_of_equal_texts(comfy: Comfy, prompt: str) -> None:
    graph = generation(["texts", 0]) | {"texts": node("ProbeTexts", lines="\n".join([prompt] * 5))}
    assert request_ids(comfy.run(graph)) == [comfy.bought[0]] * 5
    assert len(comfy.bought) == 1
    graph["texts"]["inputs"]["lines"] = f"{prompt}\n{prompt}"
    assert len(set(request_ids(comfy.run(changed(graph, reuse=False))))) == 2
    assert len(comfy.bought) == 3


def test_j_another_node_takes_that_stop_for_itself(comfy: Comfy, door: FaultyService, prompt: str) -> None:
    graph = beside_a_sampler(generation(prompt), prompt, seconds_a_step=0.001)
    stopped = threading.Event()

    def stop_the_sampler() -> None:
        comfy.client.interrupt()
        stopped.set()

    def sample() -> None:
        comfy.open_gate(prompt)
        stopped.wait(PATIENCE)

    door.lose_request_ids(sample)
    run = comfy.run(graph, (happens("executing", "sampler"), stop_the_sampler))
    assert run.status is Status.INTERRUPTED
    assert not any("Nothing was charged" in line for line in lines(run))
    # It was raised when ComfyUI had ended the run: nobody has read it.
    assert_unclear(comfy.run(generation(prompt)))
    assert len(comfy.bought) == 1
