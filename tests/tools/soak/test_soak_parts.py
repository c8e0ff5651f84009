"""The parts of a soak that can be looked at one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import requests

from tests.support.loopback_server import Loopback, reply
from tools.soak.faulty_proxy import Door, Mishap
from tools.soak.graphs import Deck
from tools.soak.vitals import BOUND, Vitals, grown

BODY = b'{"status": "in_queue"}'


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(lambda _: [reply(200, BODY)]) as server:
        yield server


@pytest.fixture
def door(server: Loopback) -> Iterator[Door]:
    with Door(Random(1)) as door:
        door.lead_to(server.origin)
        yield door


def ask(door: Door) -> str:
    """What becomes of one call on a connection of its own."""
    try:
        answer = requests.get(f"{door.origin}/status", timeout=30)
    except requests.RequestException:
        return "no answer"
    return str(answer.status_code) if answer.content != BODY else "right"


def test_a_door_hands_calls_through_on_kept_connections(door: Door, server: Loopback) -> None:
    with requests.Session() as session:
        for _ in range(5):
            assert session.get(f"{door.origin}/status", timeout=30).content == BODY
    assert [call.connection for call in server.received] == [0] * 5


def test_every_mishap_happens_and_is_counted(door: Door) -> None:
    door.chance = 1.0
    endings = Counter(ask(door) for _ in range(60))
    assert set(door.happened) == set(Mishap)
    assert door.happened.total() == 60
    assert endings["right"] == 0
    assert {"no answer", "200", "429", "500", "503"} <= set(endings)


def test_a_shut_door_refuses_until_it_is_opened_again(door: Door) -> None:
    assert ask(door) == "right"
    door.shut()
    assert ask(door) == "no answer"
    door.open_again()
    assert ask(door) == "right"


def test_graphs_are_the_same_for_a_seed_and_of_every_kind() -> None:
    def draws(seed: int) -> list[object]:
        deck = Deck(Random(seed))
        return [deck.draw(["job-1"]) for _ in range(60)]

    assert draws(7) == draws(7) != draws(8)
    deck = Deck(Random(7))
    drawn = [deck.draw(["job-1"]) for _ in range(60)]
    assert {draw.kind for draw in drawn} == {"single", "anew", "options list", "text list", "side by side", "load"}
    for draw in drawn:
        links = [value for node in draw.graph.values() for value in node["inputs"].values() if isinstance(value, list)]
        assert all(link[0] in draw.graph for link in links)
        bought_anew = draw.graph["video"]["inputs"].get("reuse") is False
        assert bought_anew == (draw.kind == "anew")


def test_without_any_job_none_is_loaded() -> None:
    deck = Deck(Random(1))
    assert "load" not in {deck.draw([]).kind for _ in range(60)}


def test_what_grows_beyond_the_bound_is_named() -> None:
    before = Vitals(20, 10, 30, 500)
    at_the_bound = Vitals(20 + BOUND.threads, 10, 30 + BOUND.handles, 500 + BOUND.memory)
    assert grown(before, at_the_bound) == []
    assert grown(before, Vitals(20, 11 + BOUND.sockets, 30, 501 + BOUND.memory)) == [
        f"sockets grew by {BOUND.sockets + 1}",
        f"memory grew by {BOUND.memory + 1}",
    ]
