"""The pack in a terminal, from any folder: `python cli.py generate "A red fox trots through fresh snow"`.

ComfyUI has a module `nodes` of its own, and the Python of its portable version does not look where a script lies. So
the folder of this file goes first.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parent))

from nodes.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
