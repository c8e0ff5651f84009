"""A video: fetched, checked, read, written. Knows neither RunComfy nor ComfyUI."""
