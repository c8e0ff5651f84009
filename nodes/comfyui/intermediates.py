"""Of what type, and where, ComfyUI wants the images that its nodes hand to each other."""

from __future__ import annotations

import comfy.model_management
import torch


def intermediate_dtype() -> torch.dtype:
    """float16 with --fp16-intermediates, which ComfyUI has since 0.18, else float32."""
    ask = getattr(comfy.model_management, "intermediate_dtype", lambda: torch.float32)
    dtype: torch.dtype = ask()
    return dtype


def intermediate_device() -> torch.device:
    """The graphics card with --gpu-only, else the CPU."""
    device: torch.device = comfy.model_management.intermediate_device()
    return device
