"""Whatever a workflow puts into a request: it is refused, or it is what the service's schema allows."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote, urlsplit

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
    validate_choice,
    validate_number,
)

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

TRANSITIONS = {
    "text": st.just("A boat"),
    "resolution": st.sampled_from(RESOLUTIONS),
    "ratio": st.sampled_from(RATIOS),
    "duration": st.integers(2, 12),
    "seed": st.integers(0, 2**31 - 1),
}
ONE_IS_ODD = st.sampled_from(sorted(PROBABLE)).flatmap(
    lambda name: st.fixed_dictionaries(TRANSITIONS | {name: PROBABLE[name]})
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
def test_whatever_comes_in_place_of_options_is_refused(text: object, options: object) -> None:
    assume(options is not None)
    try:
        GenerationRequest.of(text, options)  # type: ignore[arg-type]  # that is the point
    except InvalidRequest:
        return
    raise AssertionError("it was accepted")


@given(ANYTHING)
def test_the_checks_of_widgets_break_on_nothing(value: object) -> None:
    for problem in (validate_choice("mode", value, RATIOS), validate_number("count", value, 1, 200)):
        assert problem is None or problem.isprintable()


def test_equal_requests_are_equal_whatever_made_them() -> None:
    assert GenerationRequest.of("a", Options()) == GenerationRequest.of("a", None)


IDS = st.text() | st.text(st.sampled_from("aZ09-_./\\:%\0 \n~$&;")) | st.text(st.sampled_from("ab-_"), max_size=130)


@settings(max_examples=1000)
@given(IDS)
@example("..")
@example("a/../b")
@example("a%2f..%2fb")
@example("job-1\n")
@example("C:")
@example("\uff0e\uff0e")
@example("a" * 129)
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
