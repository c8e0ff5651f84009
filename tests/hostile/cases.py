"""What strangers send: workflow files, calls of ComfyUI's API, and answers of a service that has turned hostile."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any, Final

from nodes.runcomfy.request import is_request_id
from tests.comfyui.graphs import ApiGraph
from tests.comfyui.seedance_graphs import OPTIONS, PROBE, VIDEO, generation, loading, node, output
from tests.support.faulty_service import Exchange, Fault, last

WORKFLOWS: Final = Path(__file__).resolve().parent / "workflows"
RANDOM_ID: Final = "00000000-0000-4000-8000-000000000000"


class Ending(Enum):
    """What becomes of a graph."""

    REFUSED = "refused"
    """ComfyUI takes none of its outputs; nothing runs."""
    FAILS = "fails"
    """It runs, and ends with an error."""
    DOES_NOT_RUN = "refused or fails"
    """One of the two above: some versions of ComfyUI check themselves what others leave to the node."""
    RUNS = "runs"


@dataclass(frozen=True)
class Case:
    """One graph that is sent."""

    name: str
    content: str
    """The workflow file, or the graph as JSON. `@TRAP@` stands for a port that nobody may reach."""
    ending: Ending
    says: str = ""
    """A part of the message, where it fails."""
    breaks: Mapping[str, Fault] = field(default_factory=dict)
    """Calls of the service that are answered with malice instead, once each."""


def files() -> Iterator[Case]:
    """The workflow files, in folders by what becomes of them."""
    endings = {"refused": Ending.REFUSED, "harmless": Ending.RUNS, "fails": Ending.DOES_NOT_RUN}
    for file in sorted(WORKFLOWS.glob("*/*.json")):
        ending, content = endings[file.parent.name], file.read_text(encoding="utf-8")
        if ending is Ending.DOES_NOT_RUN:  # a run ends with the first node that fails, so each has one of its own
            nodes = json.loads(content)
            for number in sorted({name[1:] for name in nodes}):
                graph = {name: node for name, node in nodes.items() if name[1:] == number}
                yield Case(f"{file.stem} {number}", json.dumps(graph), ending)
        else:
            yield Case(file.stem, content, ending)


def uploads() -> Iterator[Case]:
    """Links among ComfyUI's files, which only the user can have placed: they lead where they lead. And lists of other
    files, under the name of a video."""
    for name in ("outside.mp4", "outside/secret.mp4", "outside/../outside.mp4"):
        yield Case(name, json.dumps(loading(video=name)), Ending.RUNS)
    for name in ("deep/../secret.mp4", "outside/../secret.mp4", "outside/../../secret.mp4"):
        yield Case(name, json.dumps(loading(video=name)), Ending.FAILS, "There is no such video")
    for name in ("playlist.mp4", "join.mp4", "session.mp4"):
        yield Case(name, json.dumps(loading(video=name)), Ending.FAILS, "not a video")


def choices() -> Iterator[Case]:
    """What is none of a widget's choices, and choices that do not go together."""
    modes = ("LIVE", "live ", "free", "https://127.0.0.1:@TRAP@", "", "rehearsal\n", "../live")
    for name, value in (*product(["mode"], modes), *product(["on_failure"], ("ignore", "", "SKIP"))):
        graph = generation("a boat", mode="rehearsal")
        graph[VIDEO]["inputs"][name] = value
        yield Case(f"{name} {value!r}", json.dumps(graph), Ending.DOES_NOT_RUN, name)
    graph = generation("a boat", mode="rehearsal", seed=2**31 - 1, count=2)
    yield Case("seeds past the highest", json.dumps(graph), Ending.FAILS, "would pass the highest seed")


INSIDE: Final = (
    *("127.0.0.1:@TRAP@", "localhost:@TRAP@", "LOCALHOST.:@TRAP@", "[::1]:@TRAP@", "[::ffff:127.0.0.1]:@TRAP@"),
    *("127.1:@TRAP@", "2130706433:@TRAP@", "0x7f.1:@TRAP@", "0177.0.0.1:@TRAP@", "127.0.0.1.:@TRAP@", "0:@TRAP@"),
    *("0.0.0.0:@TRAP@", "[::]:@TRAP@", "[64:ff9b::7f00:1]:@TRAP@", "[2002:7f00:1::]:@TRAP@", "[::127.0.0.1]:@TRAP@"),
    *("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "10.0.0.1", "[fe80::1%25eth0]"),
    *("user@127.0.0.1:@TRAP@", "videos.example:443@127.0.0.1:@TRAP@", "127.0.0.1:@TRAP@\\@videos.example"),
    *("[fe80::1%\x1bc\x1b[31m\x85all is well\u202e]", "[fe80::1%25<b>]", "[::1%\r\n\x07]:@TRAP@"),
    *("\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:@TRAP@", "127\u30020\u30020\u30021:@TRAP@", "a..b", "*", "[::1"),
)
"""Hosts that are, or claim to be, inside of somebody's network."""


def links() -> Iterator[Case]:
    """Links for Load Seedance Video that lead where no workflow may reach."""
    for host in INSIDE:
        graph = loading(video="(none)", source=f"https://{host}/latest/meta-data/a.mp4")
        yield Case(f"link to {host!a}", json.dumps(graph), Ending.FAILS, "The link to the video")


WRONG: Final[tuple[str, ...]] = (
    *("null", "true", "0", "-1", "1e308", "NaN", "Infinity", "9" * 400, '""', '"x"', "[]", "[1]", "[1, 2, 3]", "{}"),
    *('["video", 0]', '["nobody", 0]', '["options", -1]', '["options", 99]', '["options", "0"]', "[{}, []]", "[[], 0]"),
    *('{"__value__": {}}', '{"__value__": ["x", "y", "z"]}', '{"__proto__": 1}', '"' + "A" * 300_000 + '"'),
    *("[" * 300 + "]" * 300, '{"__type__": "x", "file": "/etc/passwd"}'),
)
WIDGETS: Final = {
    VIDEO: ("text", "mode", "reuse", "options", "on_failure"),
    OPTIONS: ("resolution", "ratio", "duration", "seed", "count"),
}


def wrong_types() -> Iterator[Case]:
    """Every input of every node with values of every wrong kind; no matter how it ends, but for a crash."""
    generating = generation("wrong types --seed 1", mode="nowhere")
    load = loading(video="clip.mp4", frame_load_cap=1)
    inputs = [(generating, of, name) for of, names in WIDGETS.items() for name in names]
    inputs += [(load, VIDEO, name) for name in load[VIDEO]["inputs"]]
    for graph, of, name in inputs:
        for number, value in enumerate(WRONG):
            if name == "source" and number and is_request_id(str(json.loads(value))):
                continue  # an id that nobody has: each is looked up for seconds, and one of them is enough
            changed = {**graph, of: {**graph[of], "inputs": {**graph[of]["inputs"], name: "@VALUE@"}}}
            content = json.dumps(changed).replace('"@VALUE@"', value)
            yield Case(f"{graph[of]['class_type']} {name} {number}", content, Ending.REFUSED)


def _answering(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Fault:
    """An answer of the service; `@AUTH@` in it becomes the Authorization header that it was sent."""

    def fault(exchange: Exchange) -> Iterable[bytes]:
        token = exchange.request.headers.get("authorization", "")
        quoted = {name: value.replace("@AUTH@", token) for name, value in (headers or {}).items()}
        return [last(status, json.dumps(body).replace("@AUTH@", token).encode(), quoted)]

    return fault


def _sending(head: bytes) -> Fault:
    """An answer as it stands, `@AUTH@` replaced as above."""

    def fault(exchange: Exchange) -> Iterable[bytes]:
        return [head.replace(b"@AUTH@", exchange.request.headers.get("authorization", "").encode())]

    return fault


ECHO: Final = dict.fromkeys(("message", "detail", "error", "status", "request_id", "reason"), "you sent @AUTH@")
ECHO_HEADERS: Final = {"X-Echo": "@AUTH@", "Set-Cookie": "token=@AUTH@", "WWW-Authenticate": 'Bearer realm="@AUTH@"'}


def _generating(name: str, breaks: Mapping[str, Fault], ending: Ending, says: str = "", text: str = "") -> Case:
    """A live generation, of the case's own name where there is no other text."""
    return Case(name, json.dumps(generation(text or name)), ending, says, breaks)


def echoes() -> Iterator[Case]:
    """A service that quotes the token wherever it can."""
    for call, status in product(("submit", "status", "result"), (200, 400, 401, 403, 404, 422)):
        if status == 200 and call != "submit":
            continue  # a state that nobody knows means that the job still runs
        # Without the service's own code these may be a gateway's, and a job that is paid for goes on.
        ending = Ending.RUNS if status in (401, 403, 404) and call != "submit" else Ending.FAILS
        yield _generating(f"echo {call} {status}", {call: _answering(status, ECHO, ECHO_HEADERS)}, ending)
    marks = "\r\n2026-01-01 [INFO] all is well\x1b]0;title\x07<b>[[open|https://videos.example/]]"
    name = "text of an unclear ending"
    yield _generating(name, {"submit": _answering(200, {})}, Ending.FAILS, "Generations page", marks)
    failed = {"status": "failed", "error": "moderation: you sent @AUTH@ and <img src=x onerror=alert(1)>\x1b[31m"}
    failed["error"] += " [[[[open|https://videos.example/]]]]"
    yield _generating("echo as the reason", {"result": _answering(200, failed)}, Ending.FAILS)


FORMLESS: Final = {
    "a head that is none": _sending(b"HTTP/1.1 502 Bad Gateway\r\nServer: x\r\nrejected @AUTH@\r\n\r\n"),
    "a head that is half": _sending(b"HTTP/1.1 200 OK\r\nrejected @AUTH@"),
}


def formless() -> Iterator[Case]:
    """Answers that are not HTTP as anybody means it; others are in `tests/runcomfy`. Reads go on; after a submit nobody
    can know."""
    for name, fault in FORMLESS.items():
        yield _generating(f"{name} to status", {"status": fault}, Ending.RUNS)
        yield _generating(f"{name} to submit", {"submit": fault}, Ending.FAILS, "Generations page")


def hostile_results() -> Iterator[Case]:
    """A service that names links, redirects and ids of its own choice."""
    targets = (
        *("http://127.0.0.1:@TRAP@/a.mp4", "https://127.0.0.1:@TRAP@/a.mp4", "https://169.254.169.254/a.mp4"),
        *("file:///etc/passwd", "/etc/passwd", "data:video/mp4;base64,AAAA", "https://user:word@127.1:@TRAP@/"),
    )
    for target in targets:
        ended = {"status": "succeeded", "output": {"video": target, "videos": [target, {"url": target}]}}
        yield _generating(f"result {target}", {"result": _answering(200, ended)}, Ending.FAILS)
        # A relative one leads nowhere else: it is asked for at the same origin, and is not there.
        ending = Ending.RUNS if target.startswith("/") else Ending.FAILS
        yield _generating(f"redirect to {target}", {"media": _answering(302, {}, {"Location": target})}, ending)
    for call in ("submit", "status", "result"):
        ending = Ending.FAILS if call == "submit" else Ending.RUNS
        moved = _answering(307, {}, {"Location": "http://127.0.0.1:@TRAP@/v1/models"})
        yield _generating(f"redirected {call}", {call: moved}, ending)
    for identifier in ("../../secret", "a/b", "..", "CON\n", "", "x" * 500, "<b>", "/etc/passwd"):
        answer = _answering(200, {"request_id": identifier})
        yield _generating(f"request id {identifier[:20]!r}", {"submit": answer}, Ending.FAILS, "Generations page")


def linked_values() -> Iterator[Case]:
    """Values that come through a link, which no validation sees."""
    for number, text in enumerate(("", "../../x", "http://127.0.0.1:@TRAP@/", "https://127.0.0.1:@TRAP@/", "a\\nb")):
        graph: ApiGraph = {
            "text": node("ProbeTexts", lines=text),
            VIDEO: node("LoadSeedanceVideo", video="(none)", source=["text", 0]),
            PROBE: node("ProbeClip", images=output("images")),
        }
        yield Case(f"linked source {number}", json.dumps(graph), Ending.FAILS)
    graph = {"text": node("ProbeTexts", lines="\ud800")} | generation(["text", 0])
    yield Case("linked text", json.dumps(graph), Ending.FAILS, "broken characters")
    graph = generation("x" * 3_000_000, seed=1600)
    yield Case("three megabytes of text", json.dumps(graph), Ending.FAILS)
    graph = loading(video="(none)", source=RANDOM_ID)
    yield Case("a stranger's request id", json.dumps(graph), Ending.FAILS, RANDOM_ID)


CASES: Final = (
    *(*files(), *choices(), *links(), *uploads(), *linked_values()),
    *(*echoes(), *formless(), *hostile_results()),
)
