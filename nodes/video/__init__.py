"""A video: fetched, checked, decoded. Knows neither RunComfy nor ComfyUI."""
