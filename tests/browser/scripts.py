"""What the tests have the page itself do: scripts for what no hand and no eye can reach, the graph on its canvas."""

from __future__ import annotations

# A new user's page opens ComfyUI's own first graph; what is asked of it before that would be undone.
READY = "() => window.app?.vueAppReady && app.graph?.nodes.length && app.extensionManager.workflow.activeWorkflow"
# For the other scripts: `nodeOf`, the first node of a type, and what is heard of runs.
LISTEN = """() => {
    window.nodeOf = (type) => app.graph.nodes.find((node) => node.type === type)
    window.heard = {lines: [], posts: [], executed: [], ending: null}
    app.api.addEventListener("execution_start", () => { heard.lines = []; heard.executed = []; heard.ending = null })
    app.api.addEventListener("executing", ({detail}) => { if (detail) heard.executed.push(detail) })
    const post = app.api.queuePrompt
    app.api.queuePrompt = (number, prompt, ...rest) => {
        heard.posts.push(prompt.output)
        return post.call(app.api, number, prompt, ...rest)
    }
    new MutationObserver((changes) => {
        for (const line of new Set(changes.map((change) => change.target)))
            if (line.matches?.(".seedance-line") && line.textContent) heard.lines.push(line.textContent)
    }).observe(document, {childList: true, subtree: true})
    for (const name of ["execution_success", "execution_error", "execution_interrupted"])
        app.api.addEventListener(name, () => heard.ending = name)
}"""
PLACE = """(type) => {
    const node = nodeOf(type)
    const canvas = app.canvas.canvas.getBoundingClientRect()
    const {scale, offset} = app.canvas.ds
    const drawn = LiteGraph.vueNodesMode && document.querySelector(`[data-node-id="${node.id}"]`)
    if (drawn) {
        const {x, y, width, height} = drawn.getBoundingClientRect(), title = LiteGraph.NODE_TITLE_HEIGHT * scale
        return {x, y: y + title, width, height: height - title}
    }
    const [left, top] = [0, 1].map((axis) => (node.pos[axis] + offset[axis]) * scale)
    return {x: canvas.x + left, y: canvas.y + top, width: node.size[0] * scale, height: node.size[1] * scale}
}"""
IS_ON = f"""([type, shown]) => {{
    const node = ({PLACE})(type), box = shown.getBoundingClientRect()
    const [x, y] = [box.x + box.width / 2 - node.x, box.y + box.height / 2 - node.y]
    return 0 <= x && x <= node.width && 0 <= y && y <= node.height
}}"""
LAY_OUT = """async () => {
    const graph = {...app.graph.serialize(), id: LiteGraph.uuidv4()}
    graph.nodes.forEach((node, place) => { node.pos = [450 * place, 100] })
    await app.loadGraphData(graph, true, true, app.extensionManager.workflow.activeWorkflow)
}"""
WIDGETS = "(type) => Object.fromEntries(nodeOf(type).widgets.map(({name, value}) => [name, value]))"
CHOOSE = """([type, name, value]) => {
    const widget = nodeOf(type).widgets.find((widget) => widget.name === name)
    widget.value = value
    widget.callback?.(value, app.canvas, nodeOf(type))
    app.graph.setDirtyCanvas(true, true)
}"""
ADD = """(type) => {
    const node = LiteGraph.createNode(type)
    node.pos = [500, 300]
    app.graph.add(node)
}"""
AS_DROPPED = """([name, content]) => {
    const dropped = new DataTransfer()
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
    dropped.items.add(new File([bytes], name, {type: "video/mp4"}))
    return dropped
}"""
DRAWN = """async () => {
    await new Promise((done) => setTimeout(done))
    for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame)
}"""
CONVERT = "(type) => app.graph.convertToSubgraph(new Set([nodeOf(type)])).node.type"
UNKNOWN = "() => app.graph.nodes.filter((node) => !LiteGraph.registered_node_types[node.type]).map((node) => node.type)"
SET = "([name, value]) => app.extensionManager.setting.set(name, value)"
CLOSE_SIDEBAR = """() => {
    const {sidebarTab} = app.extensionManager
    if (sidebarTab.activeSidebarTabId) sidebarTab.toggleSidebarTab(sidebarTab.activeSidebarTabId)
}"""
