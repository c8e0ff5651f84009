"""A text for users is an ordinary one, and still knows how the browser may word it."""

from __future__ import annotations

import copy
import json
import pickle

from nodes.texts import Text, as_json


def test_a_text_with_another_in_it_for_people_and_for_the_browser() -> None:
    inner = Text("reasons.certificateSet", name="SSL_CERT_FILE")
    text = Text("errors.connectError.message", reason=inner)
    sentence = "RunComfy could not be reached (its certificate could not be verified; SSL_CERT_FILE is set)."
    wanted = {
        "key": "errors.connectError.message",
        "values": {"reason": {"key": "reasons.certificateSet", "values": {"name": "SSL_CERT_FILE"}}},
    }
    for same in (text, copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert same == sentence
        assert json.loads(json.dumps(same)) == sentence
        assert as_json(same) == wanted
    assert [as_json(other) for other in ("plain", 7)] == ["plain", 7]
