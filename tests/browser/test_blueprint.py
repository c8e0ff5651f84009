"""The subgraph blueprint as a user puts it to use: options and a model go in, and a video twice the size comes out."""

from __future__ import annotations

import av

from tests.browser.ui import Ui
from tests.comfyui.conftest import PACK, ServiceLog
from tests.comfyui.graphs import read_workflow
from tests.comfyui.seedance_graphs import DURATION, FRAMES, HEIGHT, WIDTH
from tools.comfyui import ComfyUI
from tools.comfyui_client import Client, Status

CONNECT = """(duration) => {
    const [blueprint] = app.graph.nodes
    const [options, model, save] = ["SeedanceOptions", "UpscaleModelLoader", "SaveVideo"].map((type) => {
        const node = LiteGraph.createNode(type)
        app.graph.add(node)
        return node
    })
    options.widgets.find((widget) => widget.name === "duration").value = duration
    options.connect(0, blueprint, blueprint.findInputSlot("options"))
    model.connect(0, blueprint, blueprint.findInputSlot("upscale_model"))
    blueprint.connect(blueprint.findOutputSlot("video"), save, save.findInputSlot("video"))
    return String(save.id)
}"""


def test_it_makes_an_upscaled_video(ui: Ui, server: ComfyUI, service_log: ServiceLog) -> None:
    ui.open_workflow(read_workflow(PACK / "subgraphs" / "Seedance to upscaled video.json"))
    save = ui.page.evaluate(CONNECT, DURATION)
    with Client(server.url) as client:
        run = client.run(ui.as_api())
    assert run.status is Status.SUCCESS, run.error
    assert service_log.calls == {}
    (video,) = run.outputs[save]["images"]
    with av.open(str(server.base / video["type"] / video["subfolder"] / video["filename"])) as container:
        frames = list(container.decode(video=0))
    assert (len(frames), frames[0].width, frames[0].height) == (FRAMES, 2 * WIDTH, 2 * HEIGHT)
