"""Everything that can go wrong with one HTTP exchange."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tests.support.faulty_service import Exchange, Fault, last, reset_unread
from tests.support.loopback_server import Hangup, Reset

HTML = b"<html><body>502 Bad Gateway</body></html>"
WRONG_TYPES = json.dumps({"request_id": 7, "status": ["completed"], "outcome": {}, "output": 7}).encode()


def reset_after_reading(exchange: Exchange) -> Iterable[bytes]:
    exchange.healthy()
    raise Reset


def reset_in_mid_body(exchange: Exchange) -> Iterator[bytes]:
    yield from end_in_mid_body(exchange)
    raise Reset


def end_in_mid_body(exchange: Exchange) -> Iterator[bytes]:
    status, body = exchange.healthy()
    yield last(status, body[: len(body) // 2], {"Content-Length": str(len(body))})


def no_answer(exchange: Exchange) -> Iterable[bytes]:
    exchange.healthy()
    exchange.over.wait()
    return ()


def slow_trickle(exchange: Exchange) -> Iterator[bytes]:
    status, body = exchange.healthy()
    yield last(status, b"", {"Content-Length": str(len(body))})
    for byte in body:
        yield bytes([byte])
        if exchange.over.wait(0.1):
            raise Hangup


def unknown_word(exchange: Exchange) -> Iterator[bytes]:
    status, body = exchange.healthy()
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    yield last(status, json.dumps(said | {"status": "pondering", "outcome": "pondering"}).encode())


def refusal(status: int, code: int = 0, headers: dict[str, str] | None = None) -> Fault:
    """The service refuses, perhaps with RunComfy's own code, without having acted on the request."""
    body = {"error_code": code, "error_message": "As the test wants it."} if code else {"message": "As the test wants."}
    return lambda _: [last(status, json.dumps(body).encode(), headers)]


def body(content: bytes) -> Fault:
    """The service has acted on the request, but its answer comes as something else."""

    def fault(exchange: Exchange) -> Iterable[bytes]:
        exchange.healthy()
        return [last(200, content, {"Content-Type": "application/json"})]

    return fault


ACTED_ON: dict[str, Fault | None] = {
    "reset after reading": reset_after_reading,
    "reset in mid-body": reset_in_mid_body,
    "end in mid-body": end_in_mid_body,
    "time-out": no_answer,
    "slow trickle": slow_trickle,
    "empty body": body(b""),
    "HTML": body(HTML),
    "truncated JSON": body(b'{"request_id": "0a1b", "status": "compl'),
    "wrong types": body(WRONG_TYPES),
    "unknown word": unknown_word,
}
"""Those that strike after the service has done what it was asked."""
FAULTS: dict[str, Fault | None] = {
    "refused": None,
    "reset before reading": reset_unread,
    **{str(status): refusal(status) for status in (400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 503, 504)},
    "401 with its code": refusal(401, 400004),
    "403 with its code": refusal(403, 403001),
    "404 with its code": refusal(404, 404001),
    "401 in a success": refusal(200, 400004),
    "402 in a success": refusal(200, 400002),
    "404 in a success": refusal(200, 404001),
    "429 with Retry-After": refusal(429, headers={"Retry-After": "7"}),
    "redirect": refusal(302, headers={"Location": "http://example.invalid/elsewhere"}),
    **ACTED_ON,
}
"""None: the connection is refused, which is the door's own doing."""
