"""The token as the user sets it up, checked against a service over real HTTP; its value comes out nowhere."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from nodes.comfyui.token_settings import Check, TokenSettings, TokenState
from nodes.runcomfy.errors import MissingToken
from tests.support.rehearsal import RehearsalService

SECRET = "s3cr3t-0123456789"
VARIABLE = {"RUNCOMFY_TOKEN": "another-token"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "token"


def test_a_saved_token_goes_before_the_variable_and_clearing_brings_that_back(file: Path) -> None:
    assert TokenSettings(file, {}).state() == TokenState(None, saved=False, variable=None, problem=None)
    settings, of_variable = TokenSettings(file, VARIABLE), TokenState("RUNCOMFY_TOKEN", False, "RUNCOMFY_TOKEN", None)
    assert settings.state() == of_variable
    assert settings.save(SECRET) == TokenState("saved", True, "RUNCOMFY_TOKEN", None)
    assert settings.clear() == of_variable
    assert TokenSettings(file, {}).clear().source is None


def test_a_token_that_cannot_be_used_is_a_problem_that_is_told_at_once(file: Path) -> None:
    state = TokenSettings(file, {"RUNCOMFY_TOKEN": "two words"}).state()
    assert (state.source, state.saved) == ("RUNCOMFY_TOKEN", False)
    file.parent.mkdir()
    file.write_text("two words")
    saved = TokenSettings(file, {}).state()
    assert (saved.source, saved.saved) == ("saved", True)
    for problem in (state.problem, saved.problem):
        assert problem is not None
        assert "spaces" in problem
        assert "two words" not in problem
        assert "charged" not in problem
    file.unlink()
    file.mkdir()
    unreadable = TokenSettings(file, VARIABLE).state()
    assert (unreadable.source, unreadable.saved) == ("saved", True)
    assert "cannot be read" in str(unreadable.problem)


def test_what_cannot_be_saved_or_cleared_is_an_error_that_does_not_quote_it(file: Path) -> None:
    settings = TokenSettings(file, {})
    for text in ("two words", "", "  ", None, [SECRET]):
        with pytest.raises(MissingToken) as refused:
            settings.save(text)
        assert "two words" not in str(refused.value)
    assert not file.exists()
    file.parent.write_text("a file where the folder belongs")
    with pytest.raises(OSError, match="private") as failed:
        settings.save(SECRET)
    assert SECRET not in str(failed.value)
    file.parent.unlink()
    file.mkdir(parents=True)
    with pytest.raises(OSError, match="token"):
        settings.clear()


def test_a_check_is_free_and_says_which_token_is_accepted_and_what_a_video_costs(file: Path) -> None:
    for price, said in ((0.02, " Seedance costs $0.02 per second."), (None, "")):
        with RehearsalService(tokens=(SECRET,), price_usd=price) as service:
            settings = TokenSettings(file, {"RUNCOMFY_API_BASE_URL": service.origin})
            settings.save(SECRET)
            accepted = Check(True, f"RunComfy accepts the token from Settings > Seedance.{said}")
            assert settings.check() == accepted
            assert not service.submissions


def test_a_check_that_fails_says_why_and_names_the_place(file: Path) -> None:
    with RehearsalService(tokens=(SECRET,)) as service:
        pass
    gone = service.origin
    with RehearsalService(tokens=(SECRET,)) as service:
        for origin, token, said in (
            (service.origin, "a-wrong-token", "RUNCOMFY_TOKEN"),
            (service.origin, "", "Settings > Seedance"),
            (gone, SECRET, "could not be reached"),
            ("http://example.com", SECRET, "RUNCOMFY_API_BASE_URL"),
        ):
            check = TokenSettings(file, {"RUNCOMFY_API_BASE_URL": origin, "RUNCOMFY_TOKEN": token}).check()
            assert not check.ok, said
            assert said in check.message
            assert "charged" not in check.message, said
            assert not token or token not in check.message, said


def test_the_token_is_in_nothing_that_comes_out(file: Path) -> None:
    with RehearsalService(tokens=(SECRET,)) as service:
        settings = TokenSettings(file, {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_TOKEN": SECRET})
        told = (settings.save(SECRET), settings.state(), settings.check(), settings.clear(), settings.check())
    for each in told:
        assert SECRET not in f"{each!r}{asdict(each)}"
    assert SECRET not in repr(settings)
