"""docs/servers.md as it stands: the database is made, containers without a disk share it, a journal is imported."""

from __future__ import annotations

import shlex
from pathlib import Path

from nodes.rehearsal import Timing
from tests.docs.pages import blocks
from tests.support.postgres import Postgres
from tests.support.rehearsal import RehearsalService
from tests.terminal.conftest import Terminal

PAGE = "docs/servers.md"
JOB = ("generate", "A lighthouse in the rain", "--duration", "2")


def test_the_page_works_as_it_stands(tmp_path: Path, postgres: Postgres) -> None:
    with postgres.connect("postgres") as connection:
        for statement in blocks(PAGE, "sql")[0].strip().splitlines():
            connection.execute(statement)
    variables = dict(line.split("=", 1) for line in blocks(PAGE, "ini")[0].strip().splitlines())
    url = variables["SEEDANCE_JOURNAL_URL"].replace("db.example:5432", f"127.0.0.1:{postgres.port}")
    variables["SEEDANCE_JOURNAL_URL"] = url
    token = variables["RUNCOMFY_API_TOKEN"]
    with RehearsalService(tokens=(token,), timing=Timing(queued=0.1, running=0.2)) as service:
        containers = [Terminal(tmp_path / name, service) for name in ("alone", "one", "two", "three")]
        code, _, said = containers[0].run(*JOB, "--seed", "1", RUNCOMFY_API_TOKEN=token)
        assert code == 0, said
        (command,) = blocks(PAGE)[0].splitlines()
        for expected in ("Jobs imported: 1; there already: 0.\n", "Jobs imported: 0; there already: 1.\n"):
            arguments = shlex.split(command.removeprefix("python cli.py "))
            assert containers[0].run(*arguments, **variables) == (0, expected, "")
        for seed in ("1", "2"):
            for container in containers[1:]:
                code, out, said = container.run(*JOB, "--seed", seed, **variables)
                assert code == 0, said
                assert Path(out.strip()).exists()
        assert len(service.submissions) == 2
        shared = ("--output-directory", str(containers[1].base / "output"))
        code, out, said = containers[3].run(*shared, *JOB, "--seed", "2", **variables)
        assert out.startswith(str(containers[1].base)), said
        assert not list((tmp_path / "one").rglob("jobs.sqlite3")), "nothing of the journal is on a container's disk"
