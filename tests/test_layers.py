"""Which folder of `nodes/` may import which: never upwards, ComfyUI in few places, nothing slow when ComfyUI starts."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "nodes").rglob("*.py"))

NODES = ("text_to_video", "options", "load_video", "upscale_video")
COMFYUI = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "nodes", "server", "spandrel"}
HEAVY = {"av", "cv2", "numpy", "torch"}
DECODING = ("decode", "encode", "execute", "probe", "reader", "upscale")
"""Files that are loaded when there is something to decode, not when ComfyUI starts."""

LAYERS: dict[str, set[str]] = {
    "texts": set(),
    "errors": {"texts"},
    "files": set(),
    "http_exchange": set(),
    "http_client": {"http_exchange", "texts"},
    "runcomfy": {"errors", "files", "http_client", "http_exchange", "texts"},
    "video": {"errors", "files", "http_client", "http_exchange", "texts"},
    "jobs": {"errors", "files", "runcomfy", "texts", "video"},
    "rehearsal": set(),
    "engine": {"files", "jobs", "rehearsal", "runcomfy", "video"},
    "__main__": {"engine", "errors", "jobs", "runcomfy"},
    "comfyui": {"engine", "errors", "files", "jobs", "runcomfy", "texts", "video"},
    "options": {"comfyui", "runcomfy", "texts"},
    "text_to_video": {"comfyui", "runcomfy", "texts"},
    "load_video": {"comfyui", "runcomfy", "texts", "video"},
    "upscale_video": {"comfyui", "runcomfy", "texts"},
    "__init__": set(),
}
"""Each folder or file of `nodes/`, and those that it may import."""

LIBRARIES: dict[str, set[str]] = {
    "http_exchange": {"urllib3"},
    "http_client": {"requests", "urllib3"},
    "runcomfy": {"requests", "urllib3"},
    "video": {"requests", "urllib3", "av", "numpy", "psutil", "torch"},
    "jobs": {"av", "filelock", "psutil", "psycopg", "pydantic", "requests", "sqlalchemy"},
    "rehearsal": {"aiohttp", "av", "PIL", "pydantic"},
    "__main__": {"tqdm"},
    "comfyui": {*COMFYUI - {"nodes"}, "aiohttp", "torch"},
    **{name: {"comfy_api.latest"} for name in NODES},
}
"""The libraries, beside Python's own, that each may import."""


@dataclass(frozen=True)
class Import:
    """One imported module, seen from the pack's root."""

    layer: str
    file: Path
    line: int
    module: str
    """Absolute name; a leading `nodes.` for the pack itself."""
    relative: bool
    at_start: bool
    """Whether it happens when the file is imported."""

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports(file: Path) -> Iterator[Import]:
    """All that a file imports anywhere, save for type checking alone."""
    package = file.relative_to(ROOT).parts[:-1]
    layer = package[1] if len(package) > 1 else file.stem

    def walk(node: ast.AST, at_start: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(layer, file, node.lineno, name.name, False, at_start)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            # In `from . import x` each name is a module.
            for module in [base] if node.module else [f"{base}.{name.name}" for name in node.names]:
                yield Import(layer, file, node.lineno, module, bool(node.level), at_start)
        else:
            inner = at_start and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            skipped = node.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" else []
            for child in ast.iter_child_nodes(node):
                if child not in skipped:
                    yield from walk(child, inner)

    yield from walk(ast.parse(file.read_text(encoding="utf-8")), True)


ALL = [found for file in FILES for found in imports(file)]
INSIDE = [found for found in ALL if found.relative]
OUTSIDE = [found for found in ALL if not found.relative and found.module.split(".")[0] not in sys.stdlib_module_names]


def test_every_layer_is_in_the_table_which_has_no_way_up() -> None:
    assert {found.layer for found in ALL} | {"__init__"} == set(LAYERS)
    TopologicalSorter(LAYERS).prepare()  # raises CycleError


def test_imports_only_go_downwards() -> None:
    for found in INSIDE:
        package, layer, *_ = found.module.split(".")
        assert package == "nodes", f"{found}, which is outside of nodes/"
        assert layer == found.layer or layer in LAYERS[found.layer], str(found)


def test_each_layer_keeps_to_its_libraries() -> None:
    """`nodes` is in nobody's: inside ComfyUI that name is ComfyUI's, so the pack may not call itself by it."""
    for found in OUTSIDE:
        assert any(is_of(found, library) for library in LIBRARIES.get(found.layer, set())), str(found)


def test_every_permission_is_used() -> None:
    layers = {(found.layer, found.module.split(".")[1]) for found in INSIDE}
    assert {(layer, below) for layer, allowed in LAYERS.items() for below in allowed} - layers == set()
    libraries = {
        (layer, library)
        for layer, allowed in LIBRARIES.items()
        for library in allowed
        if not any(found.layer == layer and is_of(found, library) for found in OUTSIDE)
    }
    assert libraries == set()


def test_what_is_slow_to_load_is_imported_where_it_is_used() -> None:
    early = [found for found in OUTSIDE if found.at_start and found.module.split(".")[0] in HEAVY]
    assert [str(found) for found in early if found.file.stem not in DECODING] == []
    assert {found.file.stem for found in early} <= set(DECODING)


def test_comfyuis_start_loads_no_engine_and_the_engine_nothing_that_decodes() -> None:
    """Requests and the rest of it come with the first run or the first look at the settings."""
    at_start = libraries_of(*NODES, "comfyui.node")
    assert "aiohttp" in at_start <= COMFYUI | {"aiohttp"}
    of_engine = libraries_of("engine", "rehearsal", "video.download")
    assert "sqlalchemy" in of_engine
    assert not of_engine & HEAVY


def libraries_of(*modules: str) -> set[str]:
    """Those that are loaded with some modules of this pack."""
    reached = {f"nodes.{module}" for module in modules}
    while further := {found.module for found in INSIDE if found.at_start and module_of(found) in reached} - reached:
        reached |= further
    return {found.module.split(".")[0] for found in OUTSIDE if found.at_start and module_of(found) in reached}


def is_of(found: Import, library: str) -> bool:
    return found.module == library or found.module.startswith(f"{library}.")


def module_of(found: Import) -> str:
    return ".".join(found.file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
