"""What a run would cost, and the budget, in a real ComfyUI: asked and set over HTTP, kept on the node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from nodes.rehearsal import Timing
from tests.comfyui.conftest import TOKEN, failure_of, lines, started
from tests.comfyui.seedance_graphs import generation
from tests.support.rehearsal import RehearsalService
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Status

PROMPT = "a lighthouse in a storm"
ASKED = {"text": PROMPT, "resolution": "480p", "ratio": "16:9", "duration": 2, "seed": 1, "count": 1, "reuse": True}
QUOTE = {"kind": "price", "usd": 0.04, "is_base": True, "videos": 1, "to_buy": 1, "duration": 2, "resolution": "480p"}


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(tokens=(TOKEN,), timing=Timing(queued=0.1, running=0.2)) as service:
        yield service


@pytest.fixture(scope="module")
def server(service: RehearsalService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    env = {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_API_TOKEN": TOKEN, "SEEDANCE_MAX_USD_PER_DAY": ""}
    with started(tmp_path_factory.mktemp("comfyui-budget"), env) as server:
        yield server


def ask(server: ComfyUI, path: str, body: object = None) -> Any:
    if body is None:
        return requests.get(server.url + path, timeout=60).json()
    return requests.post(server.url + path, json=body, timeout=60).json()


def test_a_budget_is_set_and_kept_and_what_a_run_would_cost_is_known_before(
    server: ComfyUI, service: RehearsalService
) -> None:
    default = {"limit": 50, "spent": 0, "by_environment": False, "frees_at": None}
    assert ask(server, "/seedance/budget") == default
    assert ask(server, "/seedance/budget", {"limit": 0.06}) == default | {"limit": 0.06}
    with Client(server.url) as client:
        assert client.run(generation(PROMPT)).status is Status.SUCCESS
        spent = ask(server, "/seedance/budget")
        assert (spent["limit"], spent["spent"]) == (0.06, 0.04)
        until = datetime.fromisoformat(spent["frees_at"]) - datetime.now(timezone.utc)
        assert timedelta(hours=23) < until < timedelta(hours=24)
        refused = client.run(generation("another lighthouse"))
        assert refused.error is not None
        assert (
            "this video costs about $0.04, and $0.04 of $0.06 have been spent in the last 24 hours. Nothing was "
            in (refused.error.message)
        )
        assert "Raise the limit in Settings > Seedance, or wait until " in lines(refused)[-1]
        assert client.run(generation(PROMPT, seed=1)).status is Status.SUCCESS, "it is there already"
        assert client.run(generation("a third one", mode="rehearsal")).status is Status.SUCCESS
        assert len(service.submissions) == 1
        (server.base / "user" / "__seedance" / "budget").write_text("a lot")
        assert "The budget in Settings > Seedance is no amount of money." in failure_of(client, generation("a fourth"))
    assert "no amount of money" in ask(server, "/seedance/budget")["error"]
    assert "no amount of money" in ask(server, "/seedance/budget", {"limit": "5"})["error"]
    assert ask(server, "/seedance/budget", {"limit": 0})["limit"] == 0


def test_what_a_run_would_cost(server: ComfyUI, service: RehearsalService) -> None:
    table: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"text": "a cat", "duration": 3}, {"usd": 0.06, "duration": 3}),
        ({"text": "a cat", "duration": 3, "count": 4}, {"usd": 0.24, "duration": 3, "videos": 4, "to_buy": 4}),
        ({"text": None, "duration": 3, "count": 4}, {"usd": 0.06, "duration": 3}),
        ({"text": "a cat" * 3000, "duration": 3}, {"usd": 0.06, "duration": 3}),
        ({"mode": "rehearsal"}, {"kind": "rehearsal", "usd": 0, "is_base": False, "to_buy": 0}),
    ]
    submitted = len(service.submissions)
    for changes, expected in table:
        assert ask(server, "/seedance/quote", ASKED | changes) == QUOTE | expected, changes
    for wrong in ({"count": 0}, {"count": 201}, {"count": True}, {"text": ""}, {"seed": "1"}, {"resolution": "8k"}):
        answer = ask(server, "/seedance/quote", ASKED | wrong)
        assert set(answer) == {"error", "texts"}, wrong
        assert "charged" not in answer["error"], wrong
    assert len(service.submissions) == submitted
