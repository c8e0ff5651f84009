"""One file per node, and what they work with. ComfyUI reads the `__init__.py` of the folder above."""
