"""What the settings panel asks about: which token is in use, save one, clear it, check it; and the pack's version.

The token goes in here and never comes out: what these say names its place only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..jobs.price import price_of
from ..runcomfy.client import HttpTransport, RunComfy
from ..runcomfy.errors import MissingToken, RunComfyError
from ..runcomfy.token import api_origin, clear_token, find_token, is_saved, save_token, variable_in_use

PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"


class SettingsError(Exception):
    """What the user asked for could not be done; ``str()`` says why, without the token."""


@dataclass(frozen=True)
class TokenState:
    """Which token is in use."""

    source: str | None
    """`saved`, the name of an environment variable, or None where there is no token."""
    saved: bool
    """Whether one is saved; it goes before any variable."""
    variable: str | None
    """The first environment variable that is set, whether it is in use or not."""
    problem: str | None
    """Why the token in use cannot be used, if that shows without asking RunComfy."""


@dataclass(frozen=True)
class Check:
    """What RunComfy said to the token."""

    ok: bool
    message: str


class TokenSettings:
    """The account whose token is in a file or in the environment. Its methods block."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment

    def state(self) -> TokenState:
        """Which token is in use; never raises."""
        variable = variable_in_use(self._environment)
        saved, problem = True, None
        try:
            saved = is_saved(self._file)
            if saved or variable:
                find_token(self._environment, self._file)
        except MissingToken as error:
            problem = _message(error)
        return TokenState("saved" if saved else variable, saved, variable, problem)

    def save(self, text: str) -> TokenState:
        """Save a token. Raises `SettingsError` where it cannot be one or cannot be written."""
        try:
            save_token(text, self._file)
        except MissingToken as error:
            raise SettingsError(_message(error)) from None
        except OSError as error:
            message = f"The token cannot be saved ({error.strerror}). Make {self._file.parent} writable."
            raise SettingsError(message) from None
        return self.state()

    def clear(self) -> TokenState:
        """Delete the saved token; a variable stays as it is. Raises `SettingsError` where it cannot be deleted."""
        try:
            clear_token(self._file)
        except OSError as error:
            message = f"The token cannot be deleted ({error.strerror}). Delete {self._file} yourself."
            raise SettingsError(message) from None
        return self.state()

    def check(self) -> Check:
        """Ask RunComfy for the model's page, which is free and needs a token that is valid."""
        try:
            token = find_token(self._environment, self._file)
            model = RunComfy(HttpTransport(api_origin(self._environment), token), token.source).model_info()
        except RunComfyError as error:
            return Check(False, _message(error))
        costs = f" Seedance costs {price}." if (price := price_of(model)) else ""
        return Check(True, f"RunComfy accepts the token from {token.source}.{costs}")


def _message(error: RunComfyError) -> str:
    # Without its words about charges: nothing here can be charged.
    return f"{error.message} {error.advice}"


@dataclass(frozen=True)
class About:
    """The pack's version and where it lives."""

    version: str
    repository: str


def about() -> About:
    """Read from pyproject.toml, the one place where both are written."""
    # Not tomllib: Python 3.10 has none.
    text = PROJECT.read_text(encoding="utf-8")
    found = dict(re.findall(r'^(version|Repository) = "([^"]+)"$', text, re.MULTILINE))
    return About(found["version"], found["Repository"])
