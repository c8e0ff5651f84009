"""Load Seedance Video: from a file, from a request id, from a link."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from nodes.runcomfy.request import MODEL_ID
from tests.comfyui.conftest import TOKEN, Comfy, clips
from tests.comfyui.seedance_graphs import FRAMES, HEIGHT, VIDEO, WIDTH, generation, loading
from tools.comfyui_client import Client, Run


@pytest.fixture(scope="module")
def made(client: Client) -> dict[str, Any]:
    """What the probe saw of a video that is in output/seedance now."""
    return seen(client.run(generation("A harbour at dusk, of the tests of loading")))


@pytest.fixture(scope="module")
def choice(client: Client, made: dict[str, Any]) -> str:
    """That video as the node's list offers it."""
    (offered,) = [each for each in choices(client) if made["scalars"]["request_id"] in each]
    return offered


def test_the_player_is_told_what_a_file_holds_and_of_no_file_elsewhere(comfy: Comfy, choice: str) -> None:
    facts = {"frames": FRAMES, "width": WIDTH, "height": HEIGHT, "fps": 24}
    outside = ("", "../user/__seedance/token", "/etc/passwd", "seedance/../../comfyui.log", "absent.mp4 [output]")
    for name in (choice, *outside):
        told = requests.get(f"{comfy.url}/seedance/video", {"name": name}, timeout=30)
        assert told.json() == facts if name == choice else told.status_code == 404, name


def test_a_file_comes_back_as_it_was_made_and_as_the_frame_controls_cut_it(
    comfy: Comfy, made: dict[str, Any], choice: str
) -> None:
    run = comfy.run(loading(video=choice))
    assert seen(run) == made
    name = Path(made["scalars"]["video_path"]).name
    assert run.outputs[VIDEO]["images"] == [{"filename": name, "subfolder": "seedance", "type": "output"}]
    cut = seen(comfy.run(loading(video=choice, skip_first_frames=4, frame_load_cap=6, select_every_nth=3)))
    assert cut["levels"] == made["levels"][4:22:3]
    assert cut["scalars"]["frame_count"] == 6
    assert str(FRAMES) in comfy.failure(loading(video=choice, skip_first_frames=FRAMES))
    assert comfy.calls == {}


def test_a_request_id_fetches_its_video(comfy: Comfy, choice: str, prompt: str) -> None:
    """A job made elsewhere, such as in RunComfy's own web page."""
    model, headers = f"{comfy.service.origin}/v1/models/{MODEL_ID}", {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(model, json={"text": prompt, "duration": 2}, headers=headers, timeout=10)
    request_id = str(answer.json()["request_id"])
    loaded = seen(comfy.run(loading(video=choice, source=request_id)))
    assert loaded["shape"] == [FRAMES, HEIGHT, WIDTH, 3]
    assert loaded["scalars"]["request_id"] == request_id
    file = Path(loaded["scalars"]["video_path"])
    assert file.parent == comfy.base / "output" / "seedance"
    assert file.stem.endswith(f"-{request_id}")
    assert b"mdtaprompt" not in file.read_bytes(), "the graph that loads it has not made it"
    assert [each.request_id for each in comfy.submissions] == [request_id], "loading buys nothing"


def test_what_cannot_be_opened_is_an_error_that_names_the_one_widget(comfy: Comfy, choice: str) -> None:
    """What no workflow may open is in `tests/hostile`."""
    (comfy.base / "input" / "page.mp4").write_text("<!doctype html><title>not found</title>")
    unknown = "00000000-0000-4000-8000-000000000000"
    table: list[tuple[dict[str, str], str]] = [
        ({"source": "a b"}, "^source must be the request id of a Seedance job, or a link"),
        ({"source": "https://10.0.0.1/video.mp4"}, "not a public address"),
        ({"source": unknown}, unknown),
        ({"video": "missing.mp4"}, "^There is no such video in ComfyUI's folders"),
        ({"video": "page.mp4"}, "page.mp4 is not a video"),
        ({"video": ""}, r"^No video is chosen\."),
    ]
    for inputs, message in table:
        assert re.search(message, comfy.failure(loading(**{"video": choice} | inputs))), inputs
    assert comfy.submissions == []


def test_rehearsals_are_listed_newest_first_in_a_folder_of_their_own_named_in_any_script(comfy: Comfy) -> None:
    for text, part in (("🦊 شیر می‌دود 🦊", "شیر-میدود"), ("../../CON: <a|b>*", "con-a-b"), ("🦊", "s1")):
        run = comfy.run(generation(text, mode="rehearsal"))
        newest, (shown,) = seen(run), run.outputs[VIDEO]["images"]
        file = Path(newest["scalars"]["video_path"])
        assert file.parent == comfy.base / "output" / "seedance" / "rehearsal", text
        assert file.name[8:].startswith(f"-{part}-"), file.name
        assert requests.get(f"{comfy.url}/view", params=shown, timeout=30).content == file.read_bytes(), text
        listed, request_id = choices(comfy.client)[0], newest["scalars"]["request_id"]
        assert listed == f"seedance/rehearsal/{file.name} [output]"
        for inputs in ({"video": listed}, {"video": file.name}, {"video": "", "source": request_id}):
            assert seen(comfy.run(loading(**inputs))) == newest, inputs


def test_a_name_without_its_folder_is_found_where_videos_are_written(comfy: Comfy, made: dict[str, Any]) -> None:
    """As the lists of Nodes 2.0 hand it over. A file that is there under the very name comes first."""
    content = Path(made["scalars"]["video_path"]).read_bytes()
    for folder in ("output/seedance", "output/seedance/rehearsal", "output/video"):
        for name in ("bare.mp4", "ثعلب في الثلج 🦊.mp4"):
            file = comfy.base / folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
            for written in (name, f"{name} [output]"):
                assert seen(comfy.run(loading(video=written)))["scalars"]["video_path"] == str(file), written
            for elsewhere in (f"{name} [input]", f"{name} [temp]", f"../{name}", f"other/{name}", f"x/../{name}"):
                assert "There is no such video" in comfy.failure(loading(video=elsewhere)), elsewhere
            file.unlink()
    for folder in ("input", "output/seedance"):
        (comfy.base / folder / "twice.mp4").write_bytes(content)
    assert seen(comfy.run(loading(video="twice.mp4")))["scalars"]["video_path"] == str(
        comfy.base / "input" / "twice.mp4"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody make links")
def test_links_that_the_user_has_placed_are_followed(comfy: Comfy, made: dict[str, Any]) -> None:
    """A folder on another drive, and a file in the input folder that lies elsewhere: listed, shown and loaded."""
    videos, drive = comfy.base / "output" / "seedance", comfy.base.parent / f"{comfy.base.name}-drive"
    file = Path(made["scalars"]["video_path"])
    videos.rename(drive)
    videos.symlink_to(drive)
    (comfy.base / "input" / "elsewhere.mp4").symlink_to(drive / file.name)
    (drive / f"{file.stem}-2.mp4").symlink_to(drive / file.name)
    second = f"seedance/{file.stem}-2.mp4 [output]"
    expected = {  # the folder and the type of what is shown, and the request id
        f"seedance/{file.name} [output]": ("seedance", "output", made["scalars"]["request_id"]),
        second: ("seedance", "output", made["scalars"]["request_id"]),
        "elsewhere.mp4": ("", "input", ""),
    }
    try:
        assert expected.keys() <= set(choices(comfy.client))
        for video, (subfolder, kind, request_id) in expected.items():
            run = comfy.run(loading(video=video))
            assert seen(run)["levels"] == made["levels"], video
            assert seen(run)["scalars"]["request_id"] == request_id, video
            (shown,) = run.outputs[VIDEO]["images"]
            assert (shown["subfolder"], shown["type"]) == (subfolder, kind), video
            served = requests.get(f"{comfy.url}/view", params=shown, timeout=30)
            assert served.content == file.read_bytes(), video
    finally:
        videos.unlink()
        drive.rename(videos)


def choices(client: Client) -> list[str]:
    return list(client.object_info()["LoadSeedanceVideo"]["input"]["required"]["video"][1]["options"])


def seen(run: Run) -> dict[str, Any]:
    (clip,) = clips(run)
    return clip
