"""The token that is in use, as the settings panel shows, saves, clears and checks it.

What comes from `runcomfy` is imported when somebody asks, since it would slow ComfyUI's start down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..texts import Text, as_json
from .guarded_route import sentences


@dataclass(frozen=True, repr=False)
class TokenSettings:
    """The account whose token is in a file or in the environment. Its methods block, and never say the token."""

    file: Path
    environment: Mapping[str, str]

    def state(self) -> dict[str, object]:
        """Which token is in use; never raises.

        `source` is `saved`, the name of an environment variable, or None where there is no token; `saved` whether one
        is, which goes before any variable; `variable` the first one that is set, in use or not; `problem` why the token
        in use cannot be used, if that shows without asking RunComfy, and `texts` the same in texts.
        """
        from ..runcomfy.errors import MissingToken
        from ..runcomfy.token import find_token, is_saved, variable_in_use

        variable = variable_in_use(self.environment)
        saved, problem = True, tuple[str, ...]()
        try:
            saved = is_saved(self.file)
            if saved or variable:
                find_token(self.environment, self.file)
        except MissingToken as error:
            problem = sentences(error)
        return {
            "source": "saved" if saved else variable,
            "saved": saved,
            "variable": variable,
            "problem": " ".join(problem) or None,
            "texts": [as_json(text) for text in problem],
        }

    def save(self, text: object) -> dict[str, object]:
        """Save a token. Raises `MissingToken` where it cannot be one, and `OSError` where it cannot be written."""
        from ..runcomfy.token import save_token

        save_token(text if isinstance(text, str) else "", self.file)
        return self.state()

    def clear(self) -> dict[str, object]:
        """Delete the saved token; a variable stays as it is. Raises `OSError` where it cannot be deleted."""
        from ..runcomfy.token import clear_token

        clear_token(self.file)
        return self.state()

    def check(self) -> dict[str, object]:
        """Whether it is `ok`, and RunComfy's `message`: asks for the model's page, which is free and needs a token that
        is valid."""
        from ..jobs.account import price_of
        from ..runcomfy.client import HttpTransport, RunComfy
        from ..runcomfy.errors import RunComfyError
        from ..runcomfy.token import api_origin, find_token

        try:
            token = find_token(self.environment, self.file)
            model = RunComfy(HttpTransport(api_origin(self.environment), token), token.source).model_info()
        except RunComfyError as error:
            return {"ok": False, **_message(sentences(error))}
        price = price_of(model)
        costs = (Text("costs", price=price),) if price else ()
        return {"ok": True, **_message((Text("tokenAccepted", source=token.source), *costs))}


def _message(texts: tuple[str, ...]) -> dict[str, object]:
    return {"message": " ".join(texts), "texts": [as_json(text) for text in texts]}
