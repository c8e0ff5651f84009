"""Each hostile graph ends as it should, and says so in plain words."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.hostile.cases import CASES, Case, Ending, wrong_types
from tests.hostile.conftest import Scene, Visit


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_as_it_should(visits: dict[str, Visit], case: Case) -> None:
    visit = visits[case.name]
    ending = {Ending.REFUSED, Ending.FAILS} if case.ending is Ending.DOES_NOT_RUN else {case.ending}
    assert visit.ending in ending, visit.message
    assert case.says in visit.message
    assert list(visit.defects()) == []
    if case.ending is Ending.FAILS:
        assert visit.message, "an error says what happened"


@pytest.mark.parametrize("case", [case for case in CASES if case.ending is Ending.REFUSED], ids=lambda case: case.name)
def test_every_single_node_of_a_refused_file_is_refused(visits: dict[str, Visit], case: Case) -> None:
    graph = json.loads(case.content)
    refused = {re.sub(r"\D", "", name) for name in visits[case.name].refused}
    assert {name[1:] for name in graph if name.startswith("p")} <= refused


def test_wrong_types_are_refused_or_end_in_an_error_and_break_nothing(scene: Scene) -> None:
    seen: Counter[Ending] = Counter()
    for case in wrong_types():
        visit = scene.visit(case)
        seen[visit.ending] += 1
        assert list(visit.defects()) == [], case.name
    assert seen[Ending.REFUSED] > 0.8 * seen.total()
    assert scene.get("/system_stats").startswith("200")
