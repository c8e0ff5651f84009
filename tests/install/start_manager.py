"""ComfyUI-Manager's command line, as `start_manager.py <registry> install <pack>`: its own code with two changes.

`start_manager.py <registry> start` does what Manager does when ComfyUI starts: that is when it updates. Its registry
is the one on this machine, whose address is the first argument, and downloads go through its own plain function,
since the other one needs torchvision.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys


def main() -> None:
    sys.path[0] = os.environ["COMFYUI_PATH"]  # instead of this folder
    from comfyui_manager.common import cnr_utils, manager_downloader

    cnr_utils.base_url = sys.argv[1]
    manager_downloader.download_url = manager_downloader.basic_download_url
    if sys.argv[2:] == ["start"]:
        importlib.import_module("comfyui_manager.prestartup_script")  # which may begin this once more
        return
    del sys.argv[1]
    runpy.run_module("cm_cli.__main__", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
