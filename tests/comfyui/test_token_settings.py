"""The token as the user sets it up, checked against a service over real HTTP; its value comes out nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodes.comfyui.token_settings import TokenSettings
from nodes.runcomfy.errors import MissingToken
from tests.support.rehearsal import RehearsalService

SECRET = "s3cr3t-0123456789"
VARIABLE = {"RUNCOMFY_TOKEN": "another-token"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "token"


def state(source: str | None, saved: bool, variable: str | None) -> dict[str, object]:
    return {"source": source, "saved": saved, "variable": variable, "problem": None, "texts": []}


def test_a_saved_token_goes_before_the_variable_and_clearing_brings_that_back(file: Path) -> None:
    assert TokenSettings(file, {}).state() == state(None, False, None)
    settings, of_variable = TokenSettings(file, VARIABLE), state("RUNCOMFY_TOKEN", False, "RUNCOMFY_TOKEN")
    assert settings.state() == of_variable
    assert settings.save(SECRET) == state("saved", True, "RUNCOMFY_TOKEN")
    assert settings.clear() == of_variable
    assert TokenSettings(file, {}).clear()["source"] is None


def test_a_token_that_cannot_be_used_is_a_problem_that_is_told_at_once(file: Path) -> None:
    of_variable = TokenSettings(file, {"RUNCOMFY_TOKEN": "two words"}).state()
    assert (of_variable["source"], of_variable["saved"]) == ("RUNCOMFY_TOKEN", False)
    file.parent.mkdir()
    file.write_text("two words")
    saved = TokenSettings(file, {}).state()
    assert (saved["source"], saved["saved"]) == ("saved", True)
    for each in (of_variable, saved):
        problem = str(each["problem"])
        assert json.loads(json.dumps(each["texts"])), "for the browser's own words"
        assert "spaces" in problem
        assert "two words" not in problem
        assert "charged" not in problem
    file.unlink()
    file.mkdir()
    unreadable = TokenSettings(file, VARIABLE).state()
    assert (unreadable["source"], unreadable["saved"]) == ("saved", True)
    assert "cannot be read" in str(unreadable["problem"])


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
            check = settings.check()
            assert check["ok"]
            assert check["message"] == f"RunComfy accepts the token from Settings > Seedance.{said}"
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
            assert not check["ok"], said
            assert said in str(check["message"])
            assert "charged" not in str(check["message"]), said
            assert not token or token not in str(check["message"]), said


def test_the_token_is_in_nothing_that_comes_out(file: Path) -> None:
    with RehearsalService(tokens=(SECRET,)) as service:
        settings = TokenSettings(file, {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_TOKEN": SECRET})
        told = (settings.save(SECRET), settings.state(), settings.check(), settings.clear(), settings.check())
    for each in told:
        assert SECRET not in repr(each)
    assert SECRET not in repr(settings)
