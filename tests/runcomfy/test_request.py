"""The input schema: its defaults, its limits, and the texts that would contradict the options."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nodes.runcomfy.errors import InvalidRequest
from nodes.runcomfy.request import GenerationRequest, Options, is_request_id, text_hint, validate_text


def test_the_defaults_are_the_models_own() -> None:
    assert GenerationRequest("A boat").body() == {
        "text": "A boat",
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 5,
        "seed": 38810827,
    }


def test_without_options_the_defaults_count() -> None:
    assert (
        GenerationRequest.of("A boat", None) == GenerationRequest.of("A boat", Options()) == GenerationRequest("A boat")
    )


def test_options_are_taken_over() -> None:
    request = GenerationRequest.of("A boat", Options("1080p", "21:9", 12, 7))
    assert request == GenerationRequest("A boat", "1080p", "21:9", 12, 7)


@pytest.mark.parametrize("options", [{"resolution": "480p"}, "480p", 5, object()])
def test_only_options_are_taken_for_options(options: Any) -> None:
    with pytest.raises(InvalidRequest, match="options"):
        GenerationRequest.of("A boat", options)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("resolution", value) for value in ("480p", "720p", "1080p")),
        *(("ratio", value) for value in ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")),
        *(("duration", value) for value in range(2, 13)),
        *(("seed", value) for value in (0, 1, 2147483647)),
    ],
)
def test_what_the_schema_allows_is_sent_as_it_is(field: str, value: Any) -> None:
    assert GenerationRequest("A boat", **{field: value}).body()[field] == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("resolution", value) for value in ("", "480", "480P", "2160p", None, 480, ["480p"])),
        *(("ratio", value) for value in ("", "16:10", "16/9", "adaptive", None, 1.78)),
        *(("duration", value) for value in (1, 13, 0, -5, 5.0, "5", True, None)),
        *(("seed", value) for value in (-1, 2147483648, 1.0, "7", True, False, None)),
    ],
)
def test_what_it_does_not_allow_is_refused_by_the_fields_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{field} is .*Nothing was charged"):
        GenerationRequest("A boat", **{field: value})


@pytest.mark.parametrize("text", ["", "   ", "\n\t", None, 5, ["A boat"]])
def test_an_empty_text_is_refused(text: Any) -> None:
    with pytest.raises(InvalidRequest, match="text is empty"):
        GenerationRequest(text)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="surrogate"):
        GenerationRequest("A boat \ud83d")


@pytest.mark.parametrize(
    "text",
    [
        "A boat --resolution 720p",
        "--ratio 1:1 a boat",
        "A boat --duration=5",
        "A boat\n--seed\t7",
        "A boat --SEED 7",
        "A boat --rs 720p",
        "A boat --rt 1:1",
        "A boat --dur 5",
        "A boat --seed",
    ],
)
def test_a_flag_in_the_text_is_refused(text: str) -> None:
    assert "would contradict the options" in (validate_text(text) or "")


@pytest.mark.parametrize(
    "text",
    [
        "A seed in the wind",
        "A boat -- seed of hope",
        "well--seed 7",
        "--seedling in spring",
        "--camera fixed",
        "the resolution: 720p",
        "風景, 水墨画 🎬",
        "x" * 5000,
    ],
)
def test_other_texts_are_allowed(text: str) -> None:
    assert validate_text(text) is None
    assert GenerationRequest(text).body()["text"] == text


@pytest.mark.parametrize(("length", "hinted"), [(1, False), (500, False), (501, True), (5000, True)])
def test_a_long_text_gets_a_hint(length: int, hinted: bool) -> None:
    hint = text_hint("x" * length)
    assert (hint is not None) is hinted
    assert hint is None or f"{length} characters" in hint


def test_equal_requests_have_one_canonical_text() -> None:
    request = GenerationRequest("Ein Boot, grün", "720p", "1:1", 2, 0)
    assert request.canonical() == GenerationRequest("Ein Boot, grün", "720p", "1:1", 2, 0).canonical()
    assert json.loads(request.canonical()) == request.body()
    assert request.canonical().isascii()


@pytest.mark.parametrize(
    "other", [{"text": "A boat "}, {"resolution": "720p"}, {"ratio": "1:1"}, {"duration": 6}, {"seed": 1}]
)
def test_every_field_shows_in_the_canonical_text(other: dict[str, Any]) -> None:
    assert GenerationRequest(**{"text": "A boat"} | other).canonical() != GenerationRequest("A boat").canonical()


@pytest.mark.parametrize("value", ["a", "0", "abc-DEF_123", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "x" * 128])
def test_request_ids(value: str) -> None:
    assert is_request_id(value)


@pytest.mark.parametrize(
    "value",
    ["", "x" * 129, "-a", "_a", ".", "../x", "a/b", "a\\b", "a b", "a\n", "ä", "a?b", "a%2fb", "a\0", None, 5, ["a"]],
)
def test_what_is_no_file_name_or_part_of_a_url_is_no_request_id(value: object) -> None:
    assert not is_request_id(value)
