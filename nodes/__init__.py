"""Seedance for ComfyUI. CONTRIBUTING.md draws these folders and says which may import which."""
