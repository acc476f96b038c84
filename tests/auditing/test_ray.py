"""On Ray: the same rows, bit for bit, and what happens when workers or the driver are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_lime import audit
from keras_lime.auditing.runners.ray_cluster import check_ray
from tests.support.audits import FAST, NAMES, classifier, slow_reader, write_folder
from tests.support.worlds import background_reader, squares

ray = pytest.importorskip("ray")

ROOT = Path(__file__).resolve().parents[2]

TOKEN = uuid.uuid4().hex

SETTINGS: dict[str, Any] = {"verbose": 0, "report": False, "shard_size": 4, **FAST}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A local Ray with one logical processor more than two workers take."""
    environment = {"PYTHONPATH": str(ROOT), "SLOW": "0.1", "AUDIT_TEST": TOKEN}
    given: dict[str, Any] = {"num_cpus": 3, "include_dashboard": False, "log_to_driver": False}
    with pytest.MonkeyPatch.context() as patch:
        # Ray lets its workers give way to everything else, which on a busy machine takes minutes.
        patch.setenv("RAY_worker_niceness", "0")
        # Whatever cluster else runs here, this is one of its own.
        ray.init(address="local", runtime_env={"env_vars": environment}, **given)
        yield
        ray.shutdown()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("part-*"))}


def _workers() -> list[int]:
    """Process ids of the pool's workers, of this test's Ray alone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::") and b"_Worker" in title and f"AUDIT_TEST={TOKEN}".encode() in environment:
            found.append(int(process.name))
    return found


@pytest.mark.usefixtures("cluster")
def test_the_same_files_bit_for_bit(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 22)
    (folder / "stop" / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    given: dict[str, Any] = {"masks": tmp_path / "data-masks", "class_names": NAMES, **SETTINGS}
    model = classifier()
    model.save(tmp_path / "model.keras")
    local = audit(model, folder, tmp_path / "local", **given)
    on_ray = audit(tmp_path / "model.keras", folder, tmp_path / "ray", engine="ray", workers=2, **given)
    assert _files(on_ray.folder) == _files(local.folder)
    assert (on_ray.folder / "audit.json").read_bytes() == (local.folder / "audit.json").read_bytes()
    assert on_ray.summary == local.summary
    assert on_ray.summary["failed"] == 1
    # Nothing is left to do, in whichever engine.
    again = audit(model, folder, tmp_path / "local", engine="ray", workers=2, **given)
    assert _files(again.folder) == _files(local.folder)


@pytest.mark.usefixtures("cluster")
def test_a_worker_proves_words_as_this_process_does(tmp_path: Path) -> None:
    images, labels, _ = squares(96)
    given: dict[str, Any] = {**SETTINGS, "shard_size": 48, "targets": "predicted"}
    reader = background_reader()

    def model(batch: Any) -> Any:
        return reader(batch)

    found = [
        audit(model, (images, labels), tmp_path / engine, engine=engine, workers=1, **given)
        for engine in ("local", "ray")
    ]
    assert found[0].summary == found[1].summary
    assert "proved" in {word["proof"] for entry in found[1].summary["classes"] for word in entry["words"]}
    assert (found[0].folder / "words.parquet").read_bytes() == (found[1].folder / "words.parquet").read_bytes()


class Halved(keras.layers.Layer):
    """A layer that Keras does not know."""

    def call(self, inputs: Any) -> Any:
        return inputs * 0.5


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_worker_is_killed_and_a_stream_goes_on(tmp_path: Path) -> None:
    images, labels, _ = squares(32, biased=False)

    def batches() -> Iterator[Any]:
        return ((images[i : i + 8], labels[i : i + 8]) for i in range(0, 32, 8))

    killed: list[int] = []

    def kill() -> None:
        while not list((tmp_path / "ray" / "shards").glob("part-*.json")):
            time.sleep(0.05)
        for process in _workers()[:1]:
            os.kill(process, signal.SIGKILL)
            killed.append(process)

    watcher = threading.Thread(target=kill, daemon=True)
    watcher.start()
    given: dict[str, Any] = {"output": "softmax", **SETTINGS}

    def here_alone(batch: Any) -> Any:
        return slow_reader(batch)

    on_ray = audit(here_alone, batches(), tmp_path / "ray", engine="ray", workers=2, **given)
    watcher.join(10)
    assert killed
    local = audit(slow_reader, batches(), tmp_path / "local", **given)
    assert _files(on_ray.folder) == _files(local.folder)


@pytest.mark.usefixtures("cluster")
def test_errors_reach_the_caller_as_they_are(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((32, 32, 3)), Halved(), keras.layers.Flatten(), keras.layers.Dense(4)])
    model.save(tmp_path / "model.keras")
    folder = write_folder(tmp_path / "data", 8)
    with pytest.raises(ValueError, match=r"`model` could not be loaded.*call keras_lime.audit\(model, dataset, out\)"):
        audit(tmp_path / "model.keras", folder, tmp_path / "out", engine="ray", workers=1, **SETTINGS)
    with pytest.raises(ValueError, match="`workers` must fit what Ray has. Received: 9 workers"):
        audit(model, folder, tmp_path / "out", engine="ray", workers=9, output="logits", **SETTINGS)
    with pytest.raises(ValueError, match="`gpus_per_worker` must fit what Ray has"):
        audit(model, folder, tmp_path / "out", engine="ray", workers=1, gpus_per_worker=1, output="logits", **SETTINGS)
    assert not (tmp_path / "out").exists()

    def failing() -> Iterator[Any]:
        images, labels, _ = squares(8)
        yield images, labels
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        audit(model, failing(), tmp_path / "out", engine="ray", workers=1, output="logits", **SETTINGS)
    # What was read before is done, by a worker that was sent the layer that Keras does not know.
    assert len(list((tmp_path / "out" / "shards").glob("part-*.json"))) == 2


OWN_OBJECTS = """
import sys
import keras
import ray
from keras_lime import audit
from tests.auditing.test_ray import SETTINGS

@keras.saving.register_keras_serializable("mine")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs

def bent(values):
    return keras.ops.where(values > 0, values, 0.1 * values)

@keras.saving.register_keras_serializable("mine")
class Small(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return 0.01 * keras.random.normal(shape, seed=0, dtype=dtype)

    def get_config(self):
        return {}

model = keras.Sequential([
    keras.Input((32, 32, 3)),
    Doubled(),
    keras.layers.Flatten(),
    keras.layers.Dense(8, activation=bent, kernel_initializer=Small()),
    keras.layers.Dense(4, activation="softmax"),
])
model.save(sys.argv[2] + ".keras")
# The path works as well where everything is registered.
keras.saving.register_keras_serializable("mine", "bent")(bent)
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
found = [
    audit(given, sys.argv[1], sys.argv[2] + name, engine="ray", workers=1, **SETTINGS).rows()
    for given, name in ((model, "-memory"), (sys.argv[2] + ".keras", "-file"))
]
found.append(audit(model, sys.argv[1], sys.argv[2] + "-local", **SETTINGS).rows())
assert found[0].equals(found[2]) and found[1].equals(found[2])
print("all the same:", found[0].num_rows)
"""


@pytest.mark.slow
def test_layers_and_functions_of_a_script_travel_with_the_model(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_worker_niceness": "0"}
    script = tmp_path / "train.py"
    script.write_text(OWN_OBJECTS)
    command = [sys.executable, str(script), str(folder), str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "all the same: " in done.stdout


SCRIPT = """
import sys
from keras_lime import audit
from tests.support.audits import slow_reader
from tests.auditing.test_ray import SETTINGS
audit(
    slow_reader, sys.argv[1], sys.argv[2], image_size=(32, 32), output="softmax", engine="ray", workers=2, **SETTINGS
)
"""


@pytest.mark.slow
def test_the_driver_is_killed_and_the_audit_continued(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data", 40), tmp_path / "ray"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SLOW": "0.1"}
    arguments = [sys.executable, "-c", SCRIPT, str(folder), str(out)]
    process = subprocess.Popen(arguments, env=environment, cwd=ROOT)
    while len(list((out / "shards").glob("part-*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {file: file.stat().st_mtime_ns for file in (out / "shards").glob("part-*.json")}
    assert len(done) < 10
    given: dict[str, Any] = {"image_size": (32, 32), "output": "softmax", **SETTINGS}
    found = audit(slow_reader, folder, out, **given)
    assert {file: file.stat().st_mtime_ns for file in done} == done
    whole = audit(slow_reader, folder, tmp_path / "local", **given)
    assert _files(found.folder) == _files(whole.folder)


def test_without_ray_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-lime\[ray\]'"):
        check_ray()

    def unread() -> Iterator[Any]:
        yield pytest.fail("an image was read")

    with pytest.raises(ImportError, match=r"pip install 'keras-lime\[ray\]'"):
        audit(classifier(), unread(), tmp_path / "out", engine="ray", **SETTINGS)
