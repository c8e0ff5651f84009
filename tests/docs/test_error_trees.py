"""The trees with which the error modules begin are the trees of their classes, whole."""

from __future__ import annotations

from types import ModuleType

from nodes.jobs import errors as jobs
from nodes.runcomfy import errors as runcomfy
from nodes.video import errors as video


def drawn(module: ModuleType) -> dict[str, str]:
    """Each class in the docstring's tree, and the one that it hangs on; roots hang on nothing."""
    found: dict[str, str] = {}
    above: list[str] = []
    for line in (module.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").partition(" ")[0]
        if "──" in line or isinstance(vars(module).get(name), type):
            del above[line.index(name) // 4 :]
            found[name] = above[-1] if above else ""
            above.append(name)
    return found


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for module in (jobs, runcomfy, video):
        roots = tuple(vars(module)[name] for name, above in drawn(module).items() if not above)
        kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, roots)]
        bases = {kind.__name__: "" if kind in roots else kind.__bases__[0].__name__ for kind in kinds}
        assert drawn(module) == bases, module.__name__
        assert len(kinds) > 5, module.__name__
