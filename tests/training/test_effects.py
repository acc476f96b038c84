"""Stop, hook, words and log: none of them hangs on another. And what is told before trust is given."""

import errno
import os
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback, ProbeSet
from keras_lime.exceptions import LimeWarning
from keras_lime.shortcut.decision import Verdict
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG
from tests.support.events import read_events
from tests.support.worlds import background_reader, object_reader
from tests.training.test_callback import bright_squares, fit, probes
from tests.training.test_callback import callback as callback_of_a_fit
from tests.training.test_callback_shortcut import callback, train


class _FullDisk:
    """A file that refuses whatever is written, and if asked also to be cut back."""

    def __init__(self, file: Any, cuts: bool = True, takes: int = 0) -> None:
        self.file, self.cuts, self.takes = file, cuts, takes
        self.closed = False

    def fileno(self) -> int:
        return int(self.file.fileno())

    def write(self, content: Any) -> int:
        if self.takes:
            taken, self.takes = self.takes, 0
            return int(self.file.write(content[:taken]))
        raise OSError(errno.ENOSPC, "No space left on device")

    def truncate(self, size: int) -> None:
        if not self.cuts:
            raise OSError(errno.EIO, "Input/output error")
        self.file.truncate(size)

    def seek(self, size: int) -> None:
        self.file.seek(size)

    def close(self) -> None:
        self.closed = True
        self.file.close()


class _Fill(keras.callbacks.Callback):
    """Fills the disk of a callback before it writes."""

    def __init__(self, lime: LimeCallback, epochs: set[int], **how: Any) -> None:
        super().__init__()
        self.lime, self.epochs, self.how = lime, epochs, how

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        assert self.lime._journal is not None
        opened: Any = self.lime._journal.log._writer._file
        if epoch in self.epochs:
            opened._file = _FullDisk(opened._file, **self.how)
        elif isinstance(opened._file, _FullDisk):
            opened._file = opened._file.file


class _StopAfter(keras.callbacks.Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch == self.epoch


def messages_of(run: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LimeWarning)
        run()
    return [str(each.message) for each in caught if each.category is LimeWarning]


def test_a_full_disk_keeps_neither_hook_nor_stop_from_happening(tmp_path: Path) -> None:
    alarms: list[Verdict] = []
    lime = callback(tmp_path, on_alarm=alarms.append, stop_training=True, on_error="warn")
    lengths: list[int] = []

    def run() -> None:
        history = train([_Fill(lime, set(range(100))), lime], biased=True, epochs=50).history
        lengths.append(len(history["loss"]))

    messages = messages_of(run)
    assert len(alarms) == 1
    assert lengths[0] < 20
    assert sum("Shortcut alarm" in message for message in messages) == 1
    assert sum("could not write epoch 0" in message for message in messages) == 1
    assert f"{lengths[0]} epochs could not be written to {tmp_path / 'lime'}" in messages[-1]


def test_a_hook_that_raises_keeps_nothing_else_from_happening(tmp_path: Path) -> None:
    def hook(verdict: Verdict) -> None:
        raise RuntimeError("no network")

    lime = callback(tmp_path, on_alarm=hook, stop_training=True, on_error="warn", patience=1)
    lengths: list[int] = []
    messages = messages_of(lambda: lengths.append(len(train([lime], biased=True, epochs=50).history["loss"])))
    assert lengths[0] < 20
    assert any("`on_alarm` failed at epoch" in message and "no network" in message for message in messages)
    assert any("Shortcut alarm" in message for message in messages)
    assert not any("could not explain" in message for message in messages)
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == list(range(lengths[0]))


def test_a_failure_of_one_kind_does_not_hide_one_of_another(tmp_path: Path) -> None:
    broken = callback(tmp_path, on_error="warn", on_alarm=lambda verdict: 1 / 0, patience=1)
    messages = messages_of(lambda: train([_Fill(broken, {4, 5, 6}), broken], biased=True, epochs=7))
    assert sum("`on_alarm` failed" in message for message in messages) == 1
    assert sum("could not write epoch 4" in message for message in messages) == 1
    assert "3 epochs could not be written" in messages[-1]
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0, 1, 2, 3]


def test_with_on_error_raise_everything_else_is_done_before(tmp_path: Path) -> None:
    lime = callback(tmp_path, on_alarm=lambda verdict: 1 / 0, patience=1)
    with (
        pytest.raises(ZeroDivisionError),
        pytest.warns(LimeWarning, match="Shortcut alarm at epoch 0"),
    ):
        lime.explain(background_reader(), 0)
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0]
    lime.close()


def test_warnings_as_errors_do_not_keep_the_log_from_being_written(tmp_path: Path) -> None:
    lime = callback(tmp_path, patience=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LimeWarning)
        with pytest.raises(LimeWarning, match="Shortcut alarm"):
            lime.explain(background_reader(), 0)
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0]
    lime.close()


def test_a_function_for_epochs_that_raises_ends_nothing(tmp_path: Path) -> None:
    def choose(epoch: int) -> bool:
        raise KeyError("epoch")

    lime = callback_of_a_fit(tmp_path, epochs=choose, on_error="warn")
    lengths: list[int] = []
    messages = messages_of(lambda: lengths.append(len(fit([lime], epochs=3).history["lime_r2"])))
    assert lengths == [3]
    assert any("could not ask `epochs`" in message for message in messages)
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0, 1, 2]


@pytest.mark.parametrize("epochs", [1, {0, 3, 10**8}, lambda epoch: epoch % 2 == 0])
def test_a_billion_epochs_are_not_listed(tmp_path: Path, epochs: Any) -> None:
    fit([callback_of_a_fit(tmp_path, epochs=epochs, max_images=1), _StopAfter(3)], epochs=10**9)
    events = read_events(tmp_path / "lime")
    assert max(events.records(SUMMARY_TAG)) in (2, 3)
    assert max(events.images(probes().names[0])) == max(events.records(SUMMARY_TAG))


def test_a_log_that_is_deleted_goes_on_in_a_new_file(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    for epoch in range(2):
        lime.explain(object_reader(), epoch)
    shutil.rmtree(tmp_path / "lime")
    with pytest.warns(LimeWarning, match="is lost: it was deleted. From here on"):
        lime.explain(object_reader(), 2)
    lime.explain(object_reader(), 3)
    lime.close()
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == [2, 3]
    assert list(events.records(MANIFEST_TAG)) == [2]


def test_where_a_failed_write_cannot_be_undone_a_new_file_begins(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    assert lime._journal is not None
    opened: Any = lime._journal.log._writer._file
    opened._file = _FullDisk(opened._file, cuts=False, takes=1000)
    with pytest.raises(OSError, match="No space left"):
        lime.explain(object_reader(), 1)
    with pytest.warns(LimeWarning, match="its end could not be repaired"):
        lime.explain(object_reader(), 2)
    lime.close()
    files = sorted(os.listdir(tmp_path / "lime"))
    assert len(files) == 2
    # The half record ends the first file alone: TensorBoard's loader says so and goes on with the second.
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0, 2]


def test_a_failed_write_that_takes_nothing_needs_no_new_file(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    assert lime._journal is not None
    opened: Any = lime._journal.log._writer._file
    file = opened._file
    opened._file = _FullDisk(file, cuts=False)
    with pytest.raises(OSError, match="No space left"):
        lime.explain(object_reader(), 1)
    opened._file = file
    lime.explain(object_reader(), 2)
    lime.close()
    assert len(os.listdir(tmp_path / "lime")) == 1
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0, 2]


def test_it_begins_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit([callback_of_a_fit(tmp_path)], epochs=1, verbose=2)
    shown = capsys.readouterr().out
    line = next(line for line in shown.splitlines() if line.startswith("lime: 4 probes"))
    assert line.startswith(
        "lime: 4 probes of 2 classes; agrees with predict. Tested: objects on other backgrounds "
        "and small things off the object, on 4 images with boxes. An explained epoch takes about "
    )
    assert "4 tested images can give no verdict on shortcuts; it takes 30" in line
    (share,) = re.findall(r"lime: 4 probes in [\d.]+s, (\d+) % of the epoch", shown)
    assert 0 < int(share) < 100
    fit([callback_of_a_fit(tmp_path, probe_set=probes(masks=None))], epochs=1, verbose=2)
    shown = capsys.readouterr().out
    assert "Tested: hidden corners and borders, on 4 images. Not tested: objects on other backgrounds" in shown
    assert "Give `ProbeSet` the objects' `masks` or `boxes`" in shown
    assert f"Written to {tmp_path / 'lime-2'}, because {tmp_path / 'lime'} holds another training." in shown
    unlabelled = ProbeSet(bright_squares(3)[0])
    fit([callback_of_a_fit(tmp_path, probe_set=unlabelled, shortcut_threshold=None)], epochs=1, verbose=2)
    assert "lime: 3 probes without labels; agrees with predict." in capsys.readouterr().out


def _compare(folder: Path, accuracy: float, right: int, n: int = 20) -> list[str]:
    """Explains a function that gets some probes right, as if validation had another accuracy."""
    images, labels, _ = bright_squares(n, seed=9)
    answers = np.where(np.arange(n) < right, labels, 1 - labels)
    known = {image.tobytes(): answer for image, answer in zip(images, answers, strict=True)}

    def model(shown: np.ndarray) -> np.ndarray:
        return np.stack(
            [np.eye(2)[known.get(np.asarray(image, np.float32).tobytes(), 0)] * 0.8 + 0.1 for image in shown]
        )

    lime = LimeCallback(
        ProbeSet(images, labels), folder, segmentation="grid", n_segments=4, num_samples=16, shortcut_threshold=None
    )

    def run() -> None:
        lime.explain(model, 0, {"loss": 1.0})
        lime.explain(model, 1, {"val_accuracy": accuracy})
        lime.explain(model, 2, {"val_accuracy": accuracy})
        lime.close()

    return [message for message in messages_of(run) if "validation" in message]


def test_probes_that_the_model_does_not_know_are_told_once(tmp_path: Path) -> None:
    (message,) = _compare(tmp_path, 0.91, 9)
    assert message.startswith("The model predicts 9 of 20 probes right (45 %), but validation 91 %")
    assert "value range and preprocessing" in message


@pytest.mark.parametrize(("accuracy", "right"), [(0.91, 20), (0.91, 15), (0.6, 9), (float("nan"), 0)])
def test_probes_that_are_hardly_worse_are_not(tmp_path: Path, accuracy: float, right: int) -> None:
    assert _compare(tmp_path, accuracy, right) == []


def test_a_log_that_is_deleted_at_the_end_is_told(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    shutil.rmtree(tmp_path / "lime")
    with pytest.warns(LimeWarning, match="is lost: it was deleted"):
        lime.close()
