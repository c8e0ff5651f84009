"""All that knows ComfyUI, beside the node files."""
