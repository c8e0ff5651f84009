"""The token that is in use, as the settings panel shows, saves, clears and checks it.

What comes from `runcomfy` is imported when somebody asks, since it would slow ComfyUI's start down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import SeedanceError


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


@dataclass(frozen=True, repr=False)
class TokenSettings:
    """The account whose token is in a file or in the environment. Its methods block, and never say the token."""

    file: Path
    environment: Mapping[str, str]

    def state(self) -> TokenState:
        """Which token is in use; never raises."""
        from ..runcomfy.errors import MissingToken
        from ..runcomfy.token import find_token, is_saved, variable_in_use

        variable = variable_in_use(self.environment)
        saved, problem = True, None
        try:
            saved = is_saved(self.file)
            if saved or variable:
                find_token(self.environment, self.file)
        except MissingToken as error:
            problem = message(error)
        return TokenState("saved" if saved else variable, saved, variable, problem)

    def save(self, text: object) -> TokenState:
        """Save a token. Raises `MissingToken` where it cannot be one, and `OSError` where it cannot be written."""
        from ..runcomfy.token import save_token

        save_token(text if isinstance(text, str) else "", self.file)
        return self.state()

    def clear(self) -> TokenState:
        """Delete the saved token; a variable stays as it is. Raises `OSError` where it cannot be deleted."""
        from ..runcomfy.token import clear_token

        clear_token(self.file)
        return self.state()

    def check(self) -> Check:
        """Ask RunComfy for the model's page, which is free and needs a token that is valid."""
        from ..jobs.account import price_of
        from ..runcomfy.client import HttpTransport, RunComfy
        from ..runcomfy.errors import RunComfyError
        from ..runcomfy.token import api_origin, find_token

        try:
            token = find_token(self.environment, self.file)
            model = RunComfy(HttpTransport(api_origin(self.environment), token), token.source).model_info()
        except RunComfyError as error:
            return Check(False, message(error))
        costs = f" Seedance costs {price}." if (price := price_of(model)) else ""
        return Check(True, f"RunComfy accepts the token from {token.source}.{costs}")


def message(error: SeedanceError) -> str:
    """What a page shows of an error."""
    # Without its words about charges: nothing here can be charged.
    return f"{error.message} {error.advice}"
