"""The notebooks run from top to bottom, and are stored without outputs but for the images that carry the story."""

import os
import shutil
import signal
from pathlib import Path

import keras
import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))


RUNS = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow][: path.stem != "moving_from_lime"]) for path in NOTEBOOKS
]
"""All of them; the one without a training of several epochs also in every run of the tests."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the examples, where notebooks may leave logs."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("logs", "pictures")))


@pytest.mark.parametrize("notebook", RUNS)
def test_runs_from_top_to_bottom(notebook: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorBoard notes its processes in the temporary folder; this test ends its own.
    monkeypatch.setenv("TMPDIR", str(copy))
    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]))
    content = nbformat.read(copy / "notebooks" / notebook.name, as_version=4)
    client = NotebookClient(content, timeout=600, resources={"metadata": {"path": str(copy / "notebooks")}})
    try:
        client.execute()
    finally:
        for info in (copy / ".tensorboard-info").glob("pid-*.info"):
            os.kill(int(info.stem.removeprefix("pid-")), signal.SIGTERM)
    if notebook.stem != "moving_from_lime":
        assert list((copy / "notebooks" / "logs").glob("*/lime/events.out.tfevents.*"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_without_outputs_but_for_images(notebook: Path) -> None:
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    assert notebook.stat().st_size < 300_000
    for cell in content.cells:
        if cell.cell_type != "code":
            continue
        assert cell.execution_count is None
        kept = {"image/png"} if "keep-picture" in cell.metadata.get("tags", []) else set()
        assert {kind for output in cell.outputs for kind in output.data} == kept
