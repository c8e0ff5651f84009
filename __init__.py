"""Seedance for ComfyUI: what ComfyUI reads when it loads the pack."""

from .nodes.comfyui.node import register
from .nodes.load_video import LoadSeedanceVideo
from .nodes.options import SeedanceOptions
from .nodes.text_to_video import SeedanceTextToVideo, drop_wrong_types
from .nodes.upscale_video import SeedanceUpscaleVideo

NODE_CLASS_MAPPINGS = {
    "SeedanceTextToVideo": SeedanceTextToVideo,
    "SeedanceOptions": SeedanceOptions,
    "LoadSeedanceVideo": LoadSeedanceVideo,
    "SeedanceUpscaleVideo": SeedanceUpscaleVideo,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "SeedanceTextToVideo": "Seedance Text to Video",
    "SeedanceOptions": "Seedance Options",
    "LoadSeedanceVideo": "Load Seedance Video",
    "SeedanceUpscaleVideo": "Upscale Seedance Video",
}
WEB_DIRECTORY = "./web"

register(drop_wrong_types)

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]
