"""What developing the pack needs and using it does not: a real ComfyUI, a client for it, the demo."""
