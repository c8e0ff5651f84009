"""Each hostile graph ends as it should; and afterwards: where the tokens are, who was connected to, what is on disk."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections import Counter
from urllib.parse import quote

import pytest

from tests.hostile.cases import CASES, Ending, wrong_types
from tests.hostile.conftest import CANARIES, SAVED, Scene, Visit, token_file

pytestmark = pytest.mark.usefixtures("visits")

PAGES = (
    *("/object_info", "/history", "/queue", "/settings", "/system_stats", "/internal/logs", "/internal/logs/raw"),
    *("/userdata?dir=.", "/userdata?dir=../__seedance", "/userdata/..%2F__seedance%2Ftoken", "/userdata/token"),
    *("/v2/userdata?path=", "/v2/userdata?path=../__seedance", "/internal/files/input", "/internal/files/output"),
    *("/view?filename=token&type=user&subfolder=__seedance", "/view?filename=token&subfolder=../user/__seedance"),
    *("/view?filename=../user/__seedance/token&type=temp", "/extensions", "/users", "/embeddings", "/models"),
    *("/seedance/token", "/seedance/about", "/i18n", "/workflow_templates", "/global_subgraphs", "/prompt"),
)


def holds_a_canary(content: bytes) -> bool:
    """As it stands in a header, in a URL, in JSON, and in base64 at any offset."""
    for canary in CANARIES:
        plain = canary.encode()
        coded = (base64.b64encode(b"x" * offset + plain)[4:-4] for offset in range(3))
        if any(spelling in content for spelling in (plain, quote(canary).encode(), plain.hex().encode(), *coded)):
            return True
    return False


def test_each_ends_as_it_should_and_says_so_in_plain_words(visits: dict[str, Visit]) -> None:
    for case in CASES:
        visit = visits[case.name]
        endings = {Ending.REFUSED, Ending.FAILS} if case.ending is Ending.DOES_NOT_RUN else {case.ending}
        assert visit.ending in endings, f"{case.name}: {visit.message}"
        assert case.says in visit.message, case.name
        assert list(visit.defects()) == [], case.name
        if visit.ending is Ending.FAILS:
            assert visit.message, f"{case.name}: an error says what happened"
            # No message has more in it than text.
            assert visit.message.replace("\n", "").isprintable(), case.name
        if case.ending is Ending.REFUSED:
            refused = {re.sub(r"\D", "", name) for name in visit.refused}
            assert {name[1:] for name in json.loads(case.content) if name.startswith("p")} <= refused, case.name


def test_wrong_types_are_refused_or_end_in_an_error_and_break_nothing(scene: Scene) -> None:
    seen: Counter[Ending] = Counter()
    for case in wrong_types():
        visit = scene.visit(case)
        seen[visit.ending] += 1
        assert list(visit.defects()) == [], case.name
    assert seen[Ending.REFUSED] > 0.8 * seen.total()
    assert scene.get("/system_stats").startswith("200")


def test_the_token_is_in_use_all_the_time_and_nothing_that_comfyui_says_holds_it(
    scene: Scene, visits: dict[str, Visit]
) -> None:
    assert scene.api.real.calls["POST", "submit"] > 10
    assert {submission.account for submission in scene.api.real.submissions} == {CANARIES.index(SAVED)}
    for seen in (f"Authorization: Bearer {SAVED}".encode(), base64.b64encode(b"ab" + SAVED.encode() + b"cd")):
        assert holds_a_canary(seen), "so that this test can fail"
    assert [name for name, visit in visits.items() if holds_a_canary((visit.heard + visit.message).encode())] == []
    assert [page for page in PAGES if holds_a_canary(scene.get(page).encode())] == []


def test_no_file_holds_it_but_its_own(scene: Scene) -> None:
    """Logs at debug level, saved videos and pictures, the journal, whatever else ComfyUI has written."""
    files = [file for file in scene.server.base.rglob("*") if file.is_file() and not file.is_symlink()]
    found = [file for file in files if holds_a_canary(file.read_bytes())]
    assert found == [token_file(scene.server.base)]
    kinds = {file.suffix for file in files}
    assert {".mp4", ".png", ".log", ".sqlite3"} <= kinds, "so that all of these were looked at"
    assert "Starting new HTTP connection" in scene.server.log, "so that the log is at debug level"


def test_nothing_was_connected_to_but_the_api_and_this_process(scene: Scene) -> None:
    ports = {int(scene.api.origin.rpartition(":")[2]), *scene.listening()}
    allowed = {str(("127.0.0.1", port)) for port in ports}
    assert scene.network, "so that this test can fail"
    assert [address for address in scene.network if address not in allowed] == []
    assert scene.trap.connections == 0


def test_no_file_was_made_outside_of_comfyuis_folders(scene: Scene) -> None:
    base = scene.server.base
    assert {file.name for file in base.parent.iterdir()} == {base.name, "secret.mp4"}
    videos = base / "output" / "seedance"
    made = [file.relative_to(videos) for file in videos.rglob("*") if file.is_file()]
    assert {file.parent.as_posix() for file in made} == {".", "rehearsal"}, "whatever texts there were"
    assert all(file.suffix == ".mp4" for file in made)


def test_no_other_user_of_the_machine_may_read_what_is_private(scene: Scene) -> None:
    folder = token_file(scene.server.base).parent
    found = {file.name: file.stat() for file in [folder, *folder.rglob("*")] if file.exists()}
    private = {name: stat.S_IMODE(each.st_mode) for name, each in found.items()}
    assert {name for name, mode in private.items() if mode & 0o077} == set()
    assert {folder.name, "jobs.sqlite3", "token"} <= set(private)


def test_no_line_of_the_log_is_forged_and_none_on_a_node_is_markup(scene: Scene, visits: dict[str, Visit]) -> None:
    """Some front ends take it for HTML, and `[[text|address]]` for a link."""
    log, shown = scene.server.log, [line for visit in visits.values() for line in visit.lines]
    assert "all is well" in log, "so that this test can fail"
    assert any("onerror" in line for line in shown), "so that this test can fail"
    assert [line for line in log.splitlines() if line.startswith("2026-01-01 [INFO]")] == []
    assert not any(control in log for control in ("\x1b]0;title", "\x1bc"))
    assert [line for line in shown if "<" in line or "[[" in line] == []
