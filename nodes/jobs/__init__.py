"""One paid job from request to file, exactly once. Works without ComfyUI; everything it needs is handed in."""
