"""Seedance for ComfyUI: the rooms of the house. CONTRIBUTING.md draws them and says which may import which."""
