"""The token as the user sets it up, checked against a service over real HTTP; its value comes out nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from nodes.comfyui.routes import Check, TokenSettings, TokenState
from nodes.runcomfy.errors import MissingToken
from tests.support.rehearsal import RehearsalService

SECRET = "s3cr3t-0123456789"
VARIABLE = {"RUNCOMFY_TOKEN": "another-token"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "private" / "token"


@pytest.fixture(scope="module")
def service() -> Iterator[RehearsalService]:
    with RehearsalService(tokens=(SECRET,), price_usd=0.02) as service:
        yield service


@pytest.fixture(scope="module")
def quiet_service() -> Iterator[RehearsalService]:
    """One that tells no price."""
    with RehearsalService(tokens=(SECRET,), price_usd=None) as service:
        yield service


def checked(file: Path, service: RehearsalService, **variables: str) -> Check:
    return TokenSettings(file, {"RUNCOMFY_API_BASE_URL": service.origin, **variables}).check()


def test_without_a_token_there_is_no_source_and_no_problem(file: Path) -> None:
    assert TokenSettings(file, {}).state() == TokenState(None, saved=False, variable=None, problem=None)


def test_a_variable_is_named(file: Path) -> None:
    assert TokenSettings(file, VARIABLE).state() == TokenState("RUNCOMFY_TOKEN", False, "RUNCOMFY_TOKEN", None)


def test_a_saved_token_goes_before_the_variable_which_is_named_too(file: Path) -> None:
    assert TokenSettings(file, VARIABLE).save(SECRET) == TokenState("saved", True, "RUNCOMFY_TOKEN", None)


def test_clearing_brings_the_variable_back(file: Path) -> None:
    account = TokenSettings(file, VARIABLE)
    account.save(SECRET)
    assert account.clear() == TokenState("RUNCOMFY_TOKEN", False, "RUNCOMFY_TOKEN", None)
    assert TokenSettings(file, {}).clear().source is None


@pytest.mark.parametrize("where", ["file", "variable"])
def test_a_token_that_cannot_be_one_is_a_problem_that_is_told_at_once(file: Path, where: str) -> None:
    if where == "file":
        file.parent.mkdir()
        file.write_text("two words")
    state = TokenSettings(file, {"RUNCOMFY_TOKEN": "two words"} if where == "variable" else {}).state()
    assert state.source == ("saved" if where == "file" else "RUNCOMFY_TOKEN")
    assert state.problem is not None
    assert "spaces" in state.problem
    assert "two words" not in state.problem
    assert "charged" not in state.problem


def test_a_file_that_cannot_be_read_is_a_problem_too(file: Path) -> None:
    file.mkdir(parents=True)
    state = TokenSettings(file, VARIABLE).state()
    assert (state.source, state.saved) == ("saved", True)
    assert state.problem is not None
    assert "cannot be read" in state.problem


def test_what_cannot_be_a_token_is_not_saved_and_not_quoted(file: Path) -> None:
    with pytest.raises(MissingToken) as refused:
        TokenSettings(file, {}).save("two words")
    assert "two words" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert not file.exists()


def test_a_folder_in_the_way_is_named(file: Path) -> None:
    file.parent.write_text("a file where the folder belongs")
    with pytest.raises(OSError, match="private") as refused:
        TokenSettings(file, {}).save(SECRET)
    assert SECRET not in str(refused.value)
    file.parent.unlink()
    file.mkdir(parents=True)
    with pytest.raises(OSError, match="token"):
        TokenSettings(file, {}).clear()


def test_a_check_says_which_token_is_accepted_and_the_price(file: Path, service: RehearsalService) -> None:
    TokenSettings(file, {}).save(SECRET)
    assert checked(file, service) == Check(
        True, "RunComfy accepts the token from Settings > Seedance. Seedance costs $0.02 per second."
    )


def test_a_price_that_is_not_told_is_not_invented(file: Path, quiet_service: RehearsalService) -> None:
    check = checked(file, quiet_service, RUNCOMFY_TOKEN=SECRET)
    assert check == Check(True, "RunComfy accepts the token from RUNCOMFY_TOKEN.")


def test_a_check_costs_nothing(file: Path, service: RehearsalService) -> None:
    before = len(service.submissions)
    assert checked(file, service, RUNCOMFY_TOKEN=SECRET).ok
    assert len(service.submissions) == before


def test_a_token_that_is_not_accepted_is_named_by_its_place(file: Path, service: RehearsalService) -> None:
    check = checked(file, service, RUNCOMFY_TOKEN="a-wrong-token")
    assert not check.ok
    assert "RUNCOMFY_TOKEN" in check.message
    assert "a-wrong-token" not in check.message
    assert "charged" not in check.message


def test_a_check_without_a_token_says_how_to_set_one(file: Path, service: RehearsalService) -> None:
    check = checked(file, service)
    assert not check.ok
    assert "Settings > Seedance" in check.message


def test_a_check_without_a_service_says_so(file: Path) -> None:
    with RehearsalService(tokens=(SECRET,)) as gone:
        pass
    check = checked(file, gone, RUNCOMFY_TOKEN=SECRET)
    assert not check.ok
    assert "could not be reached" in check.message


def test_an_origin_that_a_token_must_not_go_to_fails_the_check(file: Path) -> None:
    environment = {"RUNCOMFY_API_BASE_URL": "http://example.com", "RUNCOMFY_TOKEN": SECRET}
    check = TokenSettings(file, environment).check()
    assert not check.ok
    assert "RUNCOMFY_API_BASE_URL" in check.message


def test_the_token_is_in_nothing_that_comes_out(file: Path, service: RehearsalService) -> None:
    account = TokenSettings(file, {"RUNCOMFY_API_BASE_URL": service.origin, "RUNCOMFY_TOKEN": SECRET})
    told: list[TokenState | Check] = [
        account.save(SECRET),
        account.state(),
        account.check(),
        account.clear(),
        account.check(),
    ]
    for each in told:
        assert SECRET not in f"{each!r}{asdict(each)}"
    assert SECRET not in repr(account)
