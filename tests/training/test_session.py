"""Where a training writes: no training erases another, and a second fit goes on where the first ended."""

import copy
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback
from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.logging.run_folder import event_files
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, probe_tag
from tests.support.events import read_events
from tests.support.worlds import object_reader
from tests.training.test_callback import callback as callback_of_a_fit
from tests.training.test_callback import fit, make_model
from tests.training.test_callback_shortcut import callback

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="folders are locked on POSIX alone")


def follow(lime: LimeCallback, *epochs: int) -> None:
    for epoch in epochs:
        lime.explain(object_reader(), epoch)
    lime.close()


def steps(run: Path) -> list[int]:
    return list(read_events(run).records(SUMMARY_TAG))


def test_another_training_gets_a_run_of_its_own(tmp_path: Path) -> None:
    for _ in range(3):
        follow(callback(tmp_path), 0, 1)
    assert [steps(tmp_path / name) for name in ("lime", "lime-2", "lime-3")] == [[0, 1]] * 3


def test_a_resumed_training_continues_the_newest(tmp_path: Path) -> None:
    follow(callback(tmp_path), 0, 1)
    follow(callback(tmp_path), 0, 1, 2)
    follow(callback(tmp_path), 3, 4)
    assert steps(tmp_path / "lime") == [0, 1]
    assert steps(tmp_path / "lime-2") == [0, 1, 2, 3, 4]


def test_a_training_resumed_from_an_older_checkpoint_replaces_what_followed_it(tmp_path: Path) -> None:
    follow(callback(tmp_path), 0, 1, 2, 3)
    follow(callback(tmp_path), 2)
    assert steps(tmp_path / "lime") == [0, 1, 2]


def test_fits_of_one_callback_are_one_record_with_marks(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    follow(lime, 0, 1)
    follow(lime, 0, 1, 2)
    follow(lime, 9)
    follow(lime, 0)
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == [0, 1, 2, 3, 4, 9, 10]
    assert events.records(MANIFEST_TAG)[10].header["fits"] == [0, 2, 9, 10]
    assert [path.name for path in tmp_path.iterdir()] == ["lime"]


def test_probes_are_written_once(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    tag = probe_tag(lime.probes.ids[0])
    follow(lime, 0)
    follow(lime, 0)
    assert list(read_events(tmp_path / "lime").records(tag)) == [0]
    first, second = event_files(tmp_path / "lime")
    assert second.stat().st_size < first.stat().st_size
    # Whoever takes the first file away takes them with it.
    first.unlink()
    follow(lime, 0)
    assert list(read_events(tmp_path / "lime").records(tag)) == [2]


def test_fine_tuning_in_two_fits(tmp_path: Path) -> None:
    model, lime = make_model(), callback_of_a_fit(tmp_path, max_images=1)
    fit([lime], model, epochs=2)
    model.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit([lime], model, epochs=3)
    assert steps(tmp_path / "lime") == [0, 1, 2, 3, 4]
    assert list(read_events(tmp_path / "lime").images(lime.probes.names[0])) == [0, 1, 2, 3, 4]


def test_log_dir_may_be_a_function(tmp_path: Path) -> None:
    folds = iter(["fold0", "fold1"])
    lime = callback(lambda: tmp_path / next(folds))  # type: ignore[arg-type]
    assert lime.directory is None
    follow(lime, 0, 1)
    assert lime.directory == tmp_path / "fold0" / "lime"
    follow(lime, 0)
    assert (steps(tmp_path / "fold0" / "lime"), steps(tmp_path / "fold1" / "lime")) == ([0, 1], [0])


@pytest.mark.parametrize("given", [lambda: None, lambda: 5, lambda: "", lambda: "a\0b"])
def test_a_function_that_gives_no_folder(given: Any) -> None:
    with pytest.raises(ValueError, match="`log_dir` must be a folder"):
        callback(given).explain(object_reader(), 0)


@contextmanager
def live_writer(log_dir: Path, resume: bool) -> Iterator[str]:
    """Another process that holds a run; its name."""
    code = f"""
import sys
from pathlib import Path
from keras_lime.tensorboard.logging.run_folder import claim_run
folder = claim_run(Path({str(log_dir)!r}) / "lime", resume={resume})
print(folder.path.name, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        yield other.stdout.readline().strip()
        other.kill()


@POSIX
def test_a_live_writer_in_another_process_is_left_alone(tmp_path: Path) -> None:
    with live_writer(tmp_path, resume=False) as name:
        assert name == "lime"
        with pytest.warns(LimeWarning, match="Another training is writing to .*lime at this moment"):
            follow(callback(tmp_path), 0)
    assert steps(tmp_path / "lime-2") == [0]
    follow(callback(tmp_path), 0)
    assert steps(tmp_path / "lime") == [0]


@POSIX
def test_a_resumed_training_does_not_write_beside_a_live_one(tmp_path: Path) -> None:
    follow(callback(tmp_path), 0, 1)
    with live_writer(tmp_path, resume=True) as name:
        assert name == "lime"
        with pytest.warns(LimeWarning, match="so this one writes to .*lime-2"):
            follow(callback(tmp_path), 2)
    assert (steps(tmp_path / "lime"), steps(tmp_path / "lime-2")) == ([0, 1], [2])


def test_an_interrupted_training_of_this_process_is_not_taken_for_a_live_one(tmp_path: Path) -> None:
    interrupted = callback(tmp_path)
    interrupted.explain(object_reader(), 0)
    follow(callback(tmp_path), 1)
    assert steps(tmp_path / "lime") == [0, 1]
    interrupted.close()


def test_a_folder_without_records_is_used(tmp_path: Path) -> None:
    (tmp_path / "lime").mkdir()
    (tmp_path / "lime" / "events.out.tfevents.1700000000.killed").write_bytes(b"x" * 40)
    (tmp_path / "lime" / "notes.txt").write_text("x" * 1000)
    (tmp_path / "lime-20").mkdir()
    assert event_files(tmp_path / "lime") == []
    follow(callback(tmp_path), 0)
    assert steps(tmp_path / "lime") == [0]


def test_a_clock_that_goes_back_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(callback(tmp_path), 0, 1)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3600 * 10**9)
    follow(callback(tmp_path), 2)
    monkeypatch.setattr(time, "time_ns", lambda: now - 7200 * 10**9)
    follow(callback(tmp_path), 3)
    assert steps(tmp_path / "lime") == [0, 1, 2, 3]


def test_a_copy_made_in_a_fit_is_another_training(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    copied = copy.deepcopy(lime)
    assert copied.directory == tmp_path / "lime"
    follow(copied, 0)
    lime.explain(object_reader(), 1)
    lime.close()
    assert (steps(tmp_path / "lime"), steps(tmp_path / "lime-2")) == ([0, 1], [0])


@pytest.mark.parametrize("epoch", [None, True, 1.5, "1", np.float32(1)])
def test_a_step_that_is_no_integer(tmp_path: Path, epoch: Any) -> None:
    with pytest.raises(TypeError, match="`epoch` must be an integer"):
        callback(tmp_path).explain(object_reader(), epoch)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("epoch", [-1, 2**31, 2**40])
def test_a_step_out_of_range(tmp_path: Path, epoch: int) -> None:
    with pytest.raises(ValueError, match="`epoch` must be 0 to 2,147,483,647"):
        callback(tmp_path).explain(object_reader(), epoch)


def test_integers_of_numpy_are_steps(tmp_path: Path) -> None:
    follow(callback(tmp_path), np.int64(3))  # type: ignore[arg-type]
    assert steps(tmp_path / "lime") == [3]


def test_a_callback_list_without_params(tmp_path: Path) -> None:
    model = make_model()
    callbacks = keras.callbacks.CallbackList([callback_of_a_fit(tmp_path)], model=model)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
    callbacks.on_train_end()
    assert steps(tmp_path / "lime") == [0, 1]


def test_a_callback_and_its_probes_can_be_pickled(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    copied: LimeCallback = pickle.loads(pickle.dumps(lime))
    explained = lime.explain(object_reader(), 1)
    lime.close()
    again = copied.explain(object_reader(), 0)
    copied.close()
    assert copied.probes.ids == lime.probes.ids
    assert not copied.probes.images.flags.writeable
    np.testing.assert_array_equal(again[0].fit.coef, explained[0].fit.coef)
    assert copied.directory == tmp_path / "lime-2"
