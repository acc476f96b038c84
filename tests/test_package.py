"""The package's shape: public names, imports that go down only, and a light front door."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_lime

ROOT = Path(keras_lime.__file__).parent

FLOORS = (
    ("keras_lime.exceptions",),
    ("keras_lime.core",),
    (
        "keras_lime.plotting",
        "keras_lime.shortcut",
        "keras_lime.tensorboard.records",
        "keras_lime.tensorboard.schema",
        "keras_lime.data_check.features",
        "keras_lime.data_check.agreement",
    ),
    ("keras_lime.scoring", "keras_lime.data", "keras_lime.tensorboard"),
    ("keras_lime.data_check",),
    ("keras_lime.probes",),
    ("keras_lime.training", "keras_lime.curing", "keras_lime.auditing", "keras_lime.report"),
    ("keras_lime.api",),
    ("keras_lime.cli",),
)
"""From the bottom up; a module imports from its own floor and those below. What is not named stands on its floor."""

HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib", "skimage", "sklearn", "tensorboard", "PIL")

ALLOWED = {
    "keras_lime.core": {"numpy", "scipy", "skimage", "sklearn", "threadpoolctl"},
    "keras_lime.tensorboard": {"numpy", "tensorboard", "werkzeug", "PIL", "fsspec"},
    "keras_lime.plotting": {"numpy", "matplotlib", "PIL", "skimage"},
}


def _modules() -> list[str]:
    return [found.name for found in pkgutil.walk_packages([str(ROOT)], "keras_lime.")]


def _imports(module: str) -> set[str]:
    """Names of all modules that a module imports, inside functions too, but not for type checkers only."""
    path = ROOT.parent / Path(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found.add(node.module or "")
        todo += ast.iter_child_nodes(node)
    return found


def _floor(module: str) -> int | None:
    matches = [
        (len(room), floor)
        for floor, rooms in enumerate(FLOORS)
        for room in rooms
        if module == room or module.startswith(room + ".")
    ]
    return max(matches)[1] if matches else None


@pytest.mark.parametrize("module", _modules())
def test_imports_go_down_only(module: str) -> None:
    floor = _floor(module)
    for imported in _imports(module):
        below = _floor(imported)
        # plot() is the one door upwards, opened when a figure is asked for.
        opens = (
            module in {"keras_lime.core.explanation", "keras_lime.core.kernel_path"}
            and imported == "keras_lime.plotting"
        )
        if floor is None or below is None or opens:
            continue
        assert below <= floor, f"{module} imports {imported}"


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_use_their_own_libraries_alone(room: str) -> None:
    for module in _modules():
        if module == room or module.startswith(room + "."):
            outside = {name.split(".")[0] for name in _imports(module)} - set(sys.stdlib_module_names)
            assert outside - {"keras_lime"} <= ALLOWED[room], module


def test_matplotlib_is_in_one_place() -> None:
    users = {m for m in _modules() if any(name.split(".")[0] == "matplotlib" for name in _imports(m))}
    assert users
    assert all(user.startswith("keras_lime.plotting.") for user in users)


@pytest.mark.parametrize("module", _modules())
def test_public_means_all(module: str) -> None:
    if ".frontend" in module or module in {"keras_lime.core", "keras_lime.tensorboard"}:
        return
    if module.startswith("keras_lime.scoring.engines.on_"):
        pytest.importorskip(module.rpartition("_")[2], reason="this Keras backend is not installed")
    loaded = importlib.import_module(module)
    assert loaded.__doc__, f"{module} has no docstring"
    for name in loaded.__all__:
        assert hasattr(loaded, name)


def test_every_public_name_is_documented() -> None:
    assert keras_lime.__all__ == sorted(keras_lime.__all__)
    for name in keras_lime.__all__:
        if name != "__version__":
            assert len(getattr(keras_lime, name).__doc__) > 100
    assert dir(keras_lime) == keras_lime.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = keras_lime.nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, keras_lime; print([name for name in {HEAVY!r} + ('numpy',) if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_messages_and_examples_name_is_public() -> None:
    """A user who reads `keras_lime.X` in a message can write it."""
    for file in ROOT.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            raised = isinstance(node, ast.Raise) or (
                isinstance(node, ast.Call) and ast.unparse(node.func) in {"warn", "NamedBaseline"}
            )
            if not raised:
                continue
            texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            for name in re.findall(r"keras_lime\.(\w+)", " ".join(text for text in texts if isinstance(text, str))):
                assert name in keras_lime.__all__, f"{file}: a message names keras_lime.{name}"
