"""`python cli.py`, as a script or a person uses it, against a local RunComfy."""

from __future__ import annotations

import csv
import signal
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.faulty_service import Exchange, FaultyService
from tests.support.loopback_server import Reset
from tests.support.rehearsal import RehearsalService
from tests.terminal.conftest import CLI, PATIENCE, ROOT, TOKEN, Terminal, read_until

PROMPT = "A red fox trots through fresh snow"
SHORT = ("--duration", "2")


def test_generate_prints_the_path_of_the_video_alone_and_the_same_again_is_free(
    terminal: Terminal, service: RehearsalService
) -> None:
    before = len(service.submissions)
    first = terminal.json("generate", PROMPT, *SHORT)
    file = terminal.file("generate", PROMPT, *SHORT)
    assert file.parent == terminal.base / "output" / "seedance"
    second = terminal.json("generate", PROMPT, *SHORT)
    assert len(service.submissions) == before + 1
    assert (first["reused"], second["reused"]) == (False, True)
    assert first["files"] == second["files"] == [str(file)]
    assert first["cost_usd"] == pytest.approx(0.04)
    bought = terminal.json("generate", PROMPT, *SHORT, "--no-reuse")
    assert bought["request_id"] != first["request_id"]


def test_jobs_are_listed_newest_first_by_day_summed_up_and_for_a_spreadsheet(terminal: Terminal) -> None:
    assert terminal.run("jobs")[:2] == (0, "There are no jobs yet.\n")
    made = [terminal.json("generate", PROMPT, *SHORT, "--seed", seed)["request_id"] for seed in ("7", "8")]
    jobs = terminal.json("jobs")
    assert [job["request_id"] for job in jobs] == made[::-1]
    newest = {name: jobs[0][name] for name in ("state", "price")} | {"seed": jobs[0]["request"]["seed"]}
    assert newest == {"state": "saved", "price": "$0.02 per second", "seed": 8}
    assert len(terminal.json("jobs", "--limit", "1")) == 1
    assert len(terminal.json("jobs", "--csv", "--limit", "1")) == 2
    _, table, _ = terminal.run("jobs")
    assert PROMPT in table
    assert TOKEN not in table
    assert table.splitlines()[-1] == "Spent: $0.08 today, $0.08 in 30 days, $0.08 in all"
    for since, rows in (("2020-01-31", 2), ("2999-12-31", 0)):
        assert len(terminal.json("jobs", "--since", since)) == rows
        _, written, _ = terminal.run("jobs", "--csv", "--since", since)
        found = [(row["text"], row["cost_usd"], row["request_id"]) for row in csv.DictReader(written.splitlines())]
        assert sorted(found) == sorted((PROMPT, "0.04", request_id) for request_id in made[:rows])
    assert terminal.run("jobs", "--since", "2999-12-31")[1] == "There are no such jobs.\n"
    code, _, said = terminal.run("jobs", "--since", "yesterday")
    assert code == 2
    assert "a date is written like 2026-01-31" in said


def test_a_quote_spends_nothing_and_the_budget_holds(terminal: Terminal, service: RehearsalService) -> None:
    before = len(service.submissions)
    asked = ("quote", PROMPT, *SHORT)
    assert terminal.run(*asked)[1] == "From $0.04\n"
    assert terminal.json(*asked, "--mode", "rehearsal") == {"kind": "rehearsal", "usd": 0, "is_base": False}
    assert len(service.submissions) == before
    code, _, err = terminal.run("generate", PROMPT, *SHORT, SEEDANCE_MAX_USD_PER_DAY="0.03")
    assert code == 1
    assert "this video costs about $0.04, and $0.00 of $0.03 have been spent in the last 24 hours." in err
    assert "Raise the limit in SEEDANCE_MAX_USD_PER_DAY." in err
    assert len(service.submissions) == before
    terminal.json("generate", PROMPT, *SHORT)
    assert terminal.run(*asked)[1] == "Free: already made\n"
    assert terminal.run(*asked, "--no-reuse")[1] == "About $0.04\n"


def test_resume_brings_a_job_of_another_machine_and_a_rehearsal_needs_no_token_and_leaves_no_record(
    terminal: Terminal, service: RehearsalService, tmp_path: Path
) -> None:
    request_id = terminal.json("generate", PROMPT, *SHORT)["request_id"]
    before, elsewhere = len(service.submissions), Terminal(tmp_path / "elsewhere", service)
    assert elsewhere.file("resume", request_id).stem.endswith(request_id)
    other = Terminal(tmp_path / "rehearsing", service)
    other.file("generate", PROMPT, *SHORT, "--mode", "rehearsal", RUNCOMFY_API_TOKEN="")
    assert other.json("jobs") == []
    assert len(service.submissions) == before


def test_a_failure_says_whether_it_was_charged_and_wrong_usage_ends_with_2(
    terminal: Terminal, service: RehearsalService
) -> None:
    service.fail_next("a sensitive word")
    code, out, err = terminal.run("generate", PROMPT, *SHORT, "--seed", "9")
    assert (code, out) == (1, "")
    assert "The content check refused this prompt" in err
    assert "whether the attempt was charged" in err
    before = len(service.submissions)
    for duration, token, said in (
        ("2", "", "No RunComfy token is set. Nothing was charged."),
        ("60", TOKEN, "duration is 60; it must be a whole number from 2 to 12."),
    ):
        code, _, err = terminal.run("generate", PROMPT, "--duration", duration, RUNCOMFY_API_TOKEN=token)
        assert code == 1, said
        assert said in err
    assert len(service.submissions) == before
    for arguments in (("generate",), ("generate", PROMPT, "--ratio", "2:1"), ("resume", "../x"), ("sing",), ()):
        assert terminal.run(*arguments)[0] == 2, arguments


WINDOWS = """
import runpy, signal, sys
signal.SIGBREAK = signal.SIGTERM
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""A system on which closing the window is a signal of its own."""


def test_ctrl_c_and_a_closed_window_of_windows_do_what_stop_does(terminal: Terminal, service: RehearsalService) -> None:
    for python, number in ((CLI, signal.SIGINT), (("-c", WINDOWS, *CLI), signal.SIGTERM)):
        service.hold()
        try:
            with terminal.begin("generate", PROMPT, *SHORT, "--seed", str(number), python=python) as process:
                read_until("Queued", process)
                process.send_signal(number)
                _, err = process.communicate(timeout=PATIENCE)
        finally:
            service.release()
        assert process.returncode == 130, number
        assert "was still queued and is cancelled. Nothing was charged." in err
        assert service.submissions[-1].cancelled, number


def test_ctrl_c_in_a_submit_call_that_hangs_says_so_and_nothing_else(
    terminal: Terminal, service: RehearsalService
) -> None:
    arrived, stopped = threading.Event(), threading.Event()

    def hang(_: Exchange) -> Iterable[bytes]:
        arrived.set()
        stopped.wait(PATIENCE)  # longer than Stop waits for the call
        raise Reset

    with FaultyService(service) as door:
        door.arm("submit", hang)
        with terminal.begin("generate", PROMPT, *SHORT, RUNCOMFY_API_BASE_URL=door.origin) as process:
            assert arrived.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            said = read_until("where to look for it.", process)
            stopped.set()
            _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said + rest
    assert "It may have been charged. Run the same graph again" in said


def test_it_is_a_module_too(terminal: Terminal) -> None:
    said = terminal.run("jobs", python=("-m", "nodes"), PYTHONPATH=str(ROOT))
    assert said[:2] == (0, "There are no jobs yet.\n"), said


def test_folders_may_be_ones_own_and_of_any_script_and_what_is_printed_is_unicode_whatever_the_console_knows(
    service: RehearsalService, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path / "李 Müller", service)
    for encoding in ("ascii", "cp932"):
        terminal.file("generate", "Ein Käfer, 甲虫, 🪲", *SHORT, PYTHONIOENCODING=encoding)
        assert "Ein Käfer, 甲虫, 🪲" in terminal.run("jobs", PYTHONIOENCODING=encoding)[1], encoding
    output, user = tmp_path / "my output", tmp_path / "my user"
    places = ("--output-directory", str(output), "--user-directory", str(user))
    assert terminal.file(*places, "generate", PROMPT, *SHORT).parent == output / "seedance"
    assert (user / "__seedance" / "jobs.sqlite3").exists()
