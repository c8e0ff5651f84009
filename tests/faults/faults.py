"""Everything that can go wrong with one HTTP exchange."""

from __future__ import annotations

import json
from functools import partial

from tests.support.faulty_service import Exchange, Fault, head

HTML = b"<html><body>502 Bad Gateway</body></html>"
WRONG_TYPES = json.dumps({"request_id": 7, "status": ["completed"], "outcome": {}, "output": 7}).encode()


def reset_before_reading(exchange: Exchange) -> None:
    exchange.reset()


def reset_after_reading(exchange: Exchange) -> None:
    exchange.healthy()
    exchange.reset()


def reset_in_mid_body(exchange: Exchange) -> None:
    status, headers, body = exchange.healthy()
    exchange.send(head(status, headers | {"Content-Length": str(len(body))}) + body[: len(body) // 2])
    exchange.reset()


def end_in_mid_body(exchange: Exchange) -> None:
    status, headers, body = exchange.healthy()
    exchange.send(head(status, headers | {"Content-Length": str(len(body))}) + body[: len(body) // 2])


def no_answer(exchange: Exchange) -> None:
    exchange.healthy()
    exchange.over.wait()


def slow_trickle(exchange: Exchange) -> None:
    status, headers, body = exchange.healthy()
    exchange.send(head(status, headers | {"Content-Length": str(len(body))}))
    for byte in body:
        exchange.send(bytes([byte]))
        if exchange.over.wait(0.02):
            return


def unknown_word(exchange: Exchange) -> None:
    status, headers, body = exchange.healthy()
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    told |= {"status": "pondering", "outcome": "pondering"}
    exchange.answer(status, headers, json.dumps(told).encode())


def _status(status: int, headers: dict[str, str], exchange: Exchange) -> None:
    """The service refuses, without having acted on the request."""
    exchange.read()
    exchange.answer(status, headers, json.dumps({"message": "As the test wants it."}).encode())


def _code(status: int, code: int, exchange: Exchange) -> None:
    """The same, with RunComfy's own code."""
    exchange.read()
    exchange.answer(status, {}, json.dumps({"error_code": code, "error_message": "As the test wants it."}).encode())


def _body(body: bytes, exchange: Exchange) -> None:
    """The service has acted on the request, but its answer comes as something else."""
    exchange.healthy()
    exchange.answer(200, {"Content-Type": "application/json"}, body)


FAULTS: dict[str, Fault | None] = {
    "refused": None,
    "reset before reading": reset_before_reading,
    "reset after reading": reset_after_reading,
    "reset in mid-body": reset_in_mid_body,
    "end in mid-body": end_in_mid_body,
    "time-out": no_answer,
    "slow trickle": slow_trickle,
    "400": partial(_status, 400, {}),
    "401": partial(_status, 401, {}),
    "402": partial(_status, 402, {}),
    "403": partial(_status, 403, {}),
    "404": partial(_status, 404, {}),
    "401 with its code": partial(_code, 401, 400004),
    "403 with its code": partial(_code, 403, 403001),
    "404 with its code": partial(_code, 404, 404001),
    "401 in a success": partial(_code, 200, 400004),
    "402 in a success": partial(_code, 200, 400002),
    "404 in a success": partial(_code, 200, 404001),
    "408": partial(_status, 408, {}),
    "422": partial(_status, 422, {}),
    "429": partial(_status, 429, {}),
    "429 with Retry-After": partial(_status, 429, {"Retry-After": "7"}),
    "500": partial(_status, 500, {}),
    "502": partial(_status, 502, {}),
    "503": partial(_status, 503, {}),
    "504": partial(_status, 504, {}),
    "empty body": partial(_body, b""),
    "HTML": partial(_body, HTML),
    "truncated JSON": partial(_body, b'{"request_id": "0a1b", "status": "compl'),
    "wrong types": partial(_body, WRONG_TYPES),
    "unknown word": unknown_word,
    "redirect": partial(_status, 302, {"Location": "http://example.invalid/elsewhere"}),
}
"""None: the connection is refused, which is the door's own doing."""
