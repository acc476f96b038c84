import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import keras_lime
from keras_lime.tensorboard.plugin.static_files import page_file
from tests.support.serving import PREFIX, client_of, provider_of
from tests.support.synthetic_logs import Settings, write_run


def test_the_page_is_served_as_a_module(tmp_path: Path) -> None:
    write_run(tmp_path, Settings(n_probes=1, epochs=1, n_segments=9, size=16))
    with provider_of("fast", tmp_path, {".": 0}) as provider:
        response = client_of(provider).get(f"{PREFIX}/index.js")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.data == (page_file("index.js") or (b"", ""))[0]


@pytest.fixture
def unbuilt(tmp_path: Path) -> Path:
    """The package as a checkout has it, without the built page."""
    package = Path(keras_lime.__file__).parent
    shutil.copytree(
        package, tmp_path / "keras_lime", ignore=shutil.ignore_patterns("static", "frontend", "__pycache__")
    )
    return tmp_path


def run_unbuilt(folder: Path, code: str) -> str:
    code = f"from keras_lime.tensorboard.plugin.static_files import page_file\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder).stdout


def test_a_page_that_was_not_built_says_how(unbuilt: Path) -> None:
    script = run_unbuilt(unbuilt, "content, kind = page_file('index.js'); print(kind); print(content.decode())")
    assert script.startswith("text/javascript\n")
    assert "export function render()" in script
    assert "pip install ." in script


def test_other_files_are_absent_then(unbuilt: Path) -> None:
    assert run_unbuilt(unbuilt, "print(page_file('index.css'))") == "None\n"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/", "index", "Index.js", "index.js/", "../pages.py", "../static/index.js", "index.js\0", "a.js"],
)
def test_names_are_compared_exactly(name: str) -> None:
    assert page_file(name) is None
