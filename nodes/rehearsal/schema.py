"""The model's input schema, and the check of a submitted body against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from .scene import Scene
from .sizes import SIZES

_REQUIRED: Final = object()
_RESOLUTIONS: Final = tuple(dict.fromkeys(resolution for resolution, _ in SIZES))
_RATIOS: Final = tuple(dict.fromkeys(ratio for _, ratio in SIZES))
_DURATIONS: Final = tuple(range(2, 13))

INPUT_SCHEMA: Final[Mapping[str, object]] = {
    "type": "object",
    "title": "Input",
    "required": ["text"],
    "properties": {
        "text": {
            "title": "Prompt",
            "type": "string",
            "description": "Under 500 characters gives better results.",
        },
        "resolution": {
            "title": "Resolution",
            "type": "string",
            "enum": list(_RESOLUTIONS),
            "default": "480p",
        },
        "ratio": {
            "title": "Aspect Ratio (W:H)",
            "type": "string",
            "enum": list(_RATIOS),
            "default": "16:9",
        },
        "duration": {"title": "Duration", "type": "integer", "enum": list(_DURATIONS), "default": 5},
        "seed": {"title": "Seed", "type": "integer", "default": 38810827},
    },
}
"""As the model call serves it."""


class SchemaViolation(Exception):
    """A body that does not fit; ``detail`` names each field and the reason, as the service's 422 does."""

    def __init__(self, detail: list[dict[str, object]]) -> None:
        super().__init__(json.dumps(detail))
        self.detail = detail


def read_body(body: bytes) -> tuple[Scene, Mapping[str, object]]:
    """The scene that a submit call asks for, and its JSON as it came. Unknown keys are let through and ignored.

    Raises:
        SchemaViolation: not JSON, not an object, or a value that the schema does not allow.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise SchemaViolation([_problem((), "json_invalid", "The body is not valid JSON.")]) from None
    if not isinstance(found, dict):
        raise SchemaViolation([_problem((), "dict_type", "Input should be an object.")])
    form = _Form(found)
    text = form.string("text", _REQUIRED)
    resolution = form.choice("resolution", _RESOLUTIONS, "480p")
    ratio = form.choice("ratio", _RATIOS, "16:9")
    duration = form.integer("duration", 5, _DURATIONS)
    seed = form.integer("seed", 38810827)
    if form.problems:
        raise SchemaViolation(form.problems)
    return Scene(text, resolution, ratio, duration, seed), found


class _Form:
    """Reads one field after the other and collects what is wrong with them."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.problems: list[dict[str, object]] = []

    def string(self, name: str, default: object) -> str:
        value = self._fields.get(name, default)
        if isinstance(value, str):
            return value
        if value is _REQUIRED:
            self.problems.append(_problem((name,), "missing", "Field required."))
        else:
            self.problems.append(_problem((name,), "string_type", "Input should be a string."))
        return ""

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._fields.get(name, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.problems.append(_problem((name,), "enum", f"Input should be one of {', '.join(allowed)}."))
        return default

    def integer(self, name: str, default: int, allowed: tuple[int, ...] | None = None) -> int:
        value = self._fields.get(name, default)
        # True is an int to Python, but not an integer to JSON.
        if not isinstance(value, int) or isinstance(value, bool):
            self.problems.append(_problem((name,), "int_type", "Input should be an integer."))
        elif allowed is not None and value not in allowed:
            self.problems.append(_problem((name,), "enum", f"Input should be one of {', '.join(map(str, allowed))}."))
        else:
            return value
        return default


def _problem(place: tuple[str, ...], kind: str, reason: str) -> dict[str, object]:
    return {"loc": ["body", *place], "type": kind, "msg": reason}
