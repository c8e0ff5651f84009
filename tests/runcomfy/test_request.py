"""The input schema: its defaults, its limits, and the texts that would contradict the options."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nodes.rehearsal import VideoRequest
from nodes.runcomfy import request as schema
from nodes.runcomfy.errors import InvalidRequest
from nodes.runcomfy.request import RATIOS, RESOLUTIONS, GenerationRequest, Options, is_request_id

BOAT = {"text": "A boat", "resolution": "480p", "ratio": "16:9", "duration": 5, "seed": 38810827}
"""With the model's own defaults."""


def request(**values: Any) -> GenerationRequest:
    return GenerationRequest(**{"text": "A boat"} | values)


def refusal(**values: Any) -> str:
    with pytest.raises(InvalidRequest) as raised:
        pytest.fail(f"accepted: {request(**values)}")
    return str(raised.value)


def test_the_defaults_are_the_models_own() -> None:
    assert request().body() == BOAT
    assert GenerationRequest.of("A boat", None) == GenerationRequest.of("A boat", Options()) == request()
    of_options = GenerationRequest.of("A boat", Options("1080p", "21:9", 12, 7))
    assert of_options == GenerationRequest("A boat", "1080p", "21:9", 12, 7)
    for options in ({"resolution": "480p"}, "480p", 5, [Options()], ""):
        with pytest.raises(InvalidRequest, match="options"):
            GenerationRequest.of("A boat", options)  # type: ignore[arg-type]  # as a workflow file may have it


def test_what_the_schema_allows_is_sent_as_it_is_and_all_else_refused_by_the_fields_name() -> None:
    allowed: dict[str, tuple[Any, ...]] = {
        "text": ("风景, 水墨画 🎬", "None", "x" * 5000, "A seed in the wind", "A boat -- seed of hope", "well--seed 7",
                 "--seedling in spring", "--camera fixed", "the resolution: 720p"),
        "resolution": ("480p", "720p", "1080p"),
        "ratio": ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
        "duration": tuple(range(2, 13)),
        "seed": (0, 1, 2147483647),
    }  # fmt: skip
    refused: dict[str, tuple[Any, ...]] = {
        "text": (None, 5, True, ["A boat"], b"A boat"),
        "resolution": ("", "480P", "2160p", None, 480, ["480p"]),
        "ratio": ("", "16/9", "adaptive", None, 1.78),
        "duration": (1, 13, 5.0, "5", True, None),
        "seed": (-1, 2147483648, 1.0, "7", True, None),
    }
    for field, values in allowed.items():
        for value in values:
            assert request(**{field: value}).body() == BOAT | {field: value}
        for value in refused[field]:
            message = refusal(**{field: value})
            assert message.startswith(f"{field} is "), (field, value)
            assert "Nothing was charged" in message


def test_texts_that_are_refused_and_long_ones_that_get_a_hint() -> None:
    flags = (
        *("A boat --resolution 720p", "--ratio 1:1 a boat", "A boat --duration=5", "A boat\n--seed\t7"),
        *("A boat --SEED 7", "A boat --rs 720p", "A boat --rt 1:1", "A boat --dur 5", "A boat --seed"),
    )
    rows = {"text is empty": ("", "   ", "\n\t"), "surrogate": ("A \ud83d",), "would contradict the options": flags}
    for reason, texts in rows.items():
        for text in texts:
            assert reason in refusal(text=text), text
    assert [schema.text_hint("x" * length) for length in (1, 500)] == [None, None]
    for length in (501, 5000):
        assert f"{length} characters" in (schema.text_hint("x" * length) or "")


def test_the_canonical_text_by_which_jobs_on_disk_are_found_stays_as_it_is() -> None:
    text = '{"duration":2,"ratio":"1:1","resolution":"720p","seed":0,"text":"Ein Boot, gr\\u00fcn"}'
    assert GenerationRequest("Ein Boot, grün", "720p", "1:1", 2, 0).canonical() == text


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
ONE_IS_ODD = st.sampled_from(sorted(PROBABLE)).flatmap(
    lambda name: st.fixed_dictionaries({field: st.just(BOAT[field]) for field in BOAT} | {name: PROBABLE[name]})
)
"""Where all are, hardly any request would get as far as to the service."""


@settings(max_examples=300)
@given(st.fixed_dictionaries(PROBABLE) | ONE_IS_ODD)
@example(BOAT | {"duration": 13})
def test_a_request_is_refused_or_fits_the_services_own_schema(values: dict[str, Any]) -> None:
    try:
        accepted = GenerationRequest(**values)
    except InvalidRequest as refused:
        message = str(refused)
    else:
        understood = VideoRequest.model_validate_json(json.dumps(accepted.body()))
        assert understood.model_dump() == values == json.loads(accepted.canonical())
        message = ""
    assert len(message) < 500
    assert message.isprintable()


def test_request_ids() -> None:
    for text in ("a", "0", "abc-DEF_123", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "x" * 128, "con-2"):
        assert is_request_id(text), text
    others = ("", "x" * 129, "-a", "_a", ".", "../x", "a/b", "a\\b", "a\n", "ä", "a%2fb", None, 5)
    devices_of_windows = ("con", "NUL", "aux", "prn", "Com1", "LPT9")
    for other in (*others, *devices_of_windows):
        assert not is_request_id(other), other


@settings(max_examples=1000)
@given(st.text() | st.text(st.sampled_from("aZ09-_./\\:%\0 \n~$&;")) | st.text(st.sampled_from("ab-_"), max_size=130))
@example("job-1\n")
@example("C:")
@example("\uff0e\uff0e")
def test_a_request_id_is_one_plain_name_in_every_path_and_link(text: str) -> None:
    if not is_request_id(text):
        return
    folder = Path("/videos").resolve()
    assert (folder / f"{text}.mp4").resolve() == folder / f"{text}.mp4"
    for path in (PurePosixPath(f"{text}.mp4"), PureWindowsPath(f"{text}.mp4")):
        assert (path.parts, path.drive) == ((f"{text}.mp4",), "")
    sent = requests.Request("GET", f"https://api.example/v1/requests/{text}/status").prepare().url or ""
    assert urlsplit(sent).path == f"/v1/requests/{quote(text, safe='')}/status" == f"/v1/requests/{text}/status"
