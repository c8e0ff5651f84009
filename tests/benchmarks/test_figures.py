"""What becomes of measurements: medians, ratios, a table, verdicts, and their place in README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figures import HEAD, Row, as_table, verdicts
from benchmarks.measure import Sample
from benchmarks.verdict import Verdict
from benchmarks.ways import Way

SHAPE = (10, 50, 100, 3)
TENSOR = 600_000
"""Bytes."""


def samples(*walls: float, cpu: float = 1.0, peak: float = 1.0, shape: tuple[int, ...] | None = SHAPE) -> list[Sample]:
    return [Sample(wall, cpu, int(peak * TENSOR), shape) for wall in walls]


def row(**changed: list[Sample]) -> Row:
    """A clip for which every goal is met; core ran out of memory."""
    return Row(
        "1080p, 5 s",
        {
            Way.OURS: changed.get("ours", samples(2.0, 9.0, 2.2, peak=1.02)),
            Way.GENERATOR: changed.get("generator", samples(5.0, 30.0, 4.9)),
            Way.DECODE_FLOOR: samples(1.0, cpu=1.9, shape=None),
            Way.TOUCH_FLOOR: samples(1.0, cpu=1.8),
            Way.STACK: samples(8.0),
        },
    )


def test_medians_forgive_one_slow_round() -> None:
    figures = row().figures(Way.OURS)
    assert figures
    assert (figures.wall, figures.wall_range) == (2.2, (2.0, 9.0))
    assert figures.peak == pytest.approx(1.02)


def test_ratios_compare_within_a_round() -> None:
    assert row().ratio(Way.OURS, Way.GENERATOR) == pytest.approx(0.4)


def test_a_way_that_did_not_fit_stands_in_the_table_and_takes_no_part_in_verdicts() -> None:
    lines = as_table([row()]).splitlines()
    (core,) = [line for line in lines if "ComfyUI core" in line]
    assert "out of memory" in core
    assert {line.count("|") for line in lines} == {len(HEAD) + 1}
    assert not [verdict for verdict in verdicts(row(), most_of_core=0.4, cores=2) if "core's" in verdict.goal]


def test_every_goal_can_be_missed() -> None:
    assert [verdict.met for verdict in verdicts(row(), most_of_core=0.4, cores=2)] == [True, True, True]
    slow = row(ours=samples(2.4, 2.4, 2.4, peak=1.04), generator=samples(5.0, 5.0, 5.0))
    slow.samples[Way.CORE] = samples(5.0)
    assert [verdict.met for verdict in verdicts(slow, most_of_core=0.4, cores=2)] == [False] * 4


def test_ways_that_read_different_frames_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="disagree"):
        row(generator=samples(5.0, shape=(9, 50, 100, 3)))


def test_a_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# One\n<!-- decode begins -->\nold\n<!-- decode ends -->\n## Two\n")
    report.write("decode", "new", readme)
    assert readme.read_text() == "# One\n<!-- decode begins -->\n\nnew\n\n<!-- decode ends -->\n## Two\n"
    with pytest.raises(ValueError, match="no place"):
        report.write("polling", "new", readme)


@pytest.mark.parametrize("quick", [True, False])
def test_what_is_published_is_printed_and_written_unless_it_was_a_quick_look(
    quick: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[tuple[str, str]] = []
    monkeypatch.setattr(report, "write", lambda name, content: written.append((name, content)))
    report.publish("decode", "A machine.", "A table.", goals=[Verdict("time", 2.0, 1.0)], quick=quick)
    content = "A machine.\n\nA table.\n\n- MISSED: time: 2, at most 1"
    assert capsys.readouterr().out == f"{content}\n"
    assert written == ([] if quick else [("decode", content)])
