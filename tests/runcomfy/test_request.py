"""The input schema: its defaults, its limits, and the texts that would contradict the options."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nodes.rehearsal import VideoRequest
from nodes.runcomfy.errors import InvalidRequest
from nodes.runcomfy.request import (
    RATIOS,
    RESOLUTIONS,
    GenerationRequest,
    Options,
    is_request_id,
    text_hint,
    validate_choice,
    validate_number,
    validate_text,
)


def refusal(**values: Any) -> str:
    with pytest.raises(InvalidRequest) as raised:
        pytest.fail(f"accepted: {GenerationRequest(**{'text': 'A boat'} | values)}")
    return str(raised.value)


def test_the_defaults_are_the_models_own() -> None:
    body = {"text": "A boat", "resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
    assert GenerationRequest("A boat").body() == body
    assert GenerationRequest.of("A boat", None) == GenerationRequest.of("A boat", Options())
    assert GenerationRequest.of("A boat", None) == GenerationRequest("A boat")
    request = GenerationRequest.of("A boat", Options("1080p", "21:9", 12, 7))
    assert request == GenerationRequest("A boat", "1080p", "21:9", 12, 7)


def test_what_the_schema_allows_is_sent_as_it_is() -> None:
    allowed: dict[str, tuple[Any, ...]] = {
        "text": ("风景, 水墨画 🎬", "None", "x" * 5000, "A seed in the wind", "A boat -- seed of hope", "well--seed 7",
                 "--seedling in spring", "--camera fixed", "the resolution: 720p"),
        "resolution": ("480p", "720p", "1080p"),
        "ratio": ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
        "duration": tuple(range(2, 13)),
        "seed": (0, 1, 2147483647),
    }  # fmt: skip
    for field, values in allowed.items():
        for value in values:
            assert GenerationRequest(**{"text": "A boat"} | {field: value}).body()[field] == value


def test_what_it_does_not_allow_is_refused_by_the_fields_name() -> None:
    refused: dict[str, tuple[Any, ...]] = {
        "text": (None, 5, True, ["A boat"], b"A boat"),
        "resolution": ("", "480P", "2160p", None, 480, ["480p"]),
        "ratio": ("", "16/9", "adaptive", None, 1.78),
        "duration": (1, 13, 5.0, "5", True, None),
        "seed": (-1, 2147483648, 1.0, "7", True, None),
    }
    for field, values in refused.items():
        for value in values:
            message = refusal(**{field: value})
            assert message.startswith(f"{field} is "), (field, value)
            assert "Nothing was charged" in message
    for options in ({"resolution": "480p"}, "480p", 5, object()):
        with pytest.raises(InvalidRequest, match="options"):
            GenerationRequest.of("A boat", options)  # type: ignore[arg-type]  # that is the point


def test_texts_that_are_refused() -> None:
    for text in ("", "   ", "\n\t"):
        assert "text is empty" in refusal(text=text), text
    assert "surrogate" in refusal(text="A boat \ud83d")
    for text in (
        *("A boat --resolution 720p", "--ratio 1:1 a boat", "A boat --duration=5", "A boat\n--seed\t7"),
        *("A boat --SEED 7", "A boat --rs 720p", "A boat --rt 1:1", "A boat --dur 5", "A boat --seed"),
    ):
        assert "would contradict the options" in (validate_text(text) or ""), text


def test_a_long_text_gets_a_hint() -> None:
    for length, hinted in ((1, False), (500, False), (501, True), (5000, True)):
        hint = text_hint("x" * length)
        assert (hint is not None) is hinted, length
        assert hint is None or f"{length} characters" in hint


def test_equal_requests_have_one_canonical_text_in_which_every_field_shows() -> None:
    request = GenerationRequest("Ein Boot, grün", "720p", "1:1", 2, 0)
    assert request.canonical() == GenerationRequest("Ein Boot, grün", "720p", "1:1", 2, 0).canonical()
    assert json.loads(request.canonical()) == request.body()
    assert request.canonical().isascii()
    others: list[dict[str, Any]] = [
        *({"text": "A boat "}, {"resolution": "720p"}, {"ratio": "1:1"}, {"duration": 6}, {"seed": 1})
    ]
    for other in others:
        changed = GenerationRequest(**{"text": "A boat"} | other)
        assert changed.canonical() != GenerationRequest("A boat").canonical(), other


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(RATIOS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
PROBABLE = {
    "text": st.text(min_size=1) | st.text(st.characters(categories=["Cs", "Cc", "Ll"])) | ANYTHING,
    "resolution": st.sampled_from(RESOLUTIONS) | ANYTHING,
    "ratio": st.sampled_from(RATIOS) | ANYTHING,
    "duration": st.integers(0, 14) | st.sampled_from([5.0, "5", True]) | ANYTHING,
    "seed": st.integers(-1, 2**31) | ANYTHING,
}
ALLOWED = {
    "text": st.just("A boat"),
    "resolution": st.sampled_from(RESOLUTIONS),
    "ratio": st.sampled_from(RATIOS),
    "duration": st.integers(2, 12),
    "seed": st.integers(0, 2**31 - 1),
}
ONE_IS_ODD = st.sampled_from(sorted(PROBABLE)).flatmap(
    lambda name: st.fixed_dictionaries(ALLOWED | {name: PROBABLE[name]})
)
"""Where all are, hardly any request would get as far as to the service."""


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries(PROBABLE) | ONE_IS_ODD)
@example({"text": "A boat", "resolution": "480p", "ratio": "1:1", "duration": 13, "seed": 0})
def test_a_request_is_refused_or_fits_the_services_own_schema(values: dict[str, object]) -> None:
    try:
        request = GenerationRequest(**values)  # type: ignore[arg-type]  # that is the point
    except InvalidRequest as refused:
        message = str(refused)
    else:
        accepted = VideoRequest.model_validate_json(json.dumps(request.body()))
        assert accepted.model_dump() == values == json.loads(request.canonical())
        message = ""
    assert len(message) < 500
    assert message.isprintable()


@given(ANYTHING, ANYTHING)
def test_whatever_comes_in_place_of_options_and_widgets_is_refused(value: object, options: object) -> None:
    for problem in (validate_choice("mode", value, RATIOS), validate_number("n", value, 1, 9), validate_text(value)):
        assert problem is None or problem.isprintable()
    assume(options is not None)
    with pytest.raises(InvalidRequest):
        GenerationRequest.of(value, options)  # type: ignore[arg-type]  # that is the point


def test_request_ids() -> None:
    for text in ("a", "0", "abc-DEF_123", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "x" * 128):
        assert is_request_id(text), text
    others: tuple[object, ...] = (
        "",
        "x" * 129,
        "-a",
        "_a",
        ".",
        "../x",
        "a/b",
        "a\\b",
        "a\n",
        "ä",
        "a%2fb",
        "con",
        None,
        5,
    )
    for other in others:
        assert not is_request_id(other), other


IDS = st.text() | st.text(st.sampled_from("aZ09-_./\\:%\0 \n~$&;")) | st.text(st.sampled_from("ab-_"), max_size=130)


@settings(max_examples=1000)
@given(IDS)
@example("job-1\n")
@example("C:")
@example("\uff0e\uff0e")
def test_a_request_id_is_one_plain_name_in_every_path_and_link(text: str) -> None:
    if not is_request_id(text):
        return
    folder = Path("/videos").resolve()
    assert (folder / f"{text}.mp4").resolve() == folder / f"{text}.mp4"
    for path in (PurePosixPath(f"{text}.mp4"), PureWindowsPath(f"{text}.mp4")):
        assert path.parts == (f"{text}.mp4",)
        assert not path.drive
    assert quote(text, safe="") == text
    sent = requests.Request("GET", f"https://api.example/v1/requests/{text}/status").prepare().url
    assert sent is not None
    assert urlsplit(sent).path == f"/v1/requests/{text}/status"
