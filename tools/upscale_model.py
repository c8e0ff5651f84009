"""A tiny upscale model, made on the spot, that ComfyUI's Load Upscale Model takes for a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

UPSCALER: Final = "2xNomosUni_span_multijpg_ldl.safetensors"
"""The example workflows' model; a tiny one of that name lets them run."""

SCALE: Final = 2
FEATURES: Final = 8
COLOURS: Final = 3
KERNEL: Final = 3


def write_tiny_upscaler(path: Path, scale: int = SCALE) -> None:
    """Write a 2x, or other, SRVGGNetCompact (8 features, 1 inner convolution) as a safetensors file of a few kB.

    That network adds its last convolution's output to the nearest-neighbour enlargement of the picture. All
    convolutions are zero here, so what comes out is exactly that enlargement: each pixel doubled both ways.
    Parent folders are made. Raises `OSError` when the file cannot be written.
    """
    import torch
    from safetensors.torch import save_file

    shapes = {"body.0": COLOURS, "body.2": FEATURES, "body.4": FEATURES}
    weights: dict[str, torch.Tensor] = {}
    for name, channels_in in shapes.items():
        channels_out = COLOURS * scale**2 if name == "body.4" else FEATURES
        weights[f"{name}.weight"] = torch.zeros(channels_out, channels_in, KERNEL, KERNEL)
        weights[f"{name}.bias"] = torch.zeros(channels_out)
    for activation in ("body.1", "body.3"):
        weights[f"{activation}.weight"] = torch.zeros(FEATURES)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path)
