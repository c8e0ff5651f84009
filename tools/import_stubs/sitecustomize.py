"""Stands in for packages that ComfyUI imports at its start and this project's graphs never use.

Python imports this file by its name when its folder is on PYTHONPATH, which holds for the test server only. The
finder comes last, so that an installed package is always preferred. Real ones would cost gigabytes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

STUBBED = {"kornia", "torchaudio", "torchvision"}


class StubType(type):
    """Any attribute of a stub is a stub, and each can be subclassed, called or used as a decorator."""

    def __getattr__(cls, name: str) -> StubType:
        return stub(name)


class Stub(metaclass=StubType):
    """What every attribute of a stubbed module is."""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        pass

    def __call__(self, *arguments: object, **keywords: object) -> object:
        raise NotImplementedError(f"{type(self).__name__} is a stub: the package it belongs to is not installed")


def stub(name: str) -> StubType:
    if name.startswith("__"):
        raise AttributeError(name)
    return StubType(name, (Stub,), {})


class StubModule(ModuleType):
    """A package in which every name and every submodule exists."""

    __version__ = "0"

    def __getattr__(self, name: str) -> StubType:
        return stub(name)


class StubFinder(MetaPathFinder, Loader):
    """Finds what no other finder found."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in STUBBED:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


sys.meta_path.append(StubFinder())
