"""KerasTuner copies its callbacks for every trial: each trial is a run of its own."""

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest

from keras_lime import LimeCallback
from keras_lime.tensorboard.records import SUMMARY_TAG
from tests.support.events import read_events
from tests.training.test_callback import SIZE, bright_squares, callback


def build(parameters: keras_tuner.HyperParameters) -> keras.Model:
    width = parameters.Int("width", 1, 8)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.AveragePooling2D(4),
            keras.layers.Flatten(),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class _NamedTrials(keras_tuner.RandomSearch):
    """The recipe for folders that carry the trial's id."""

    def run_trial(self, trial: Any, *args: Any, callbacks: Any = (), **given: Any) -> Any:
        lime = callback(Path(self.project_dir) / "logs" / trial.trial_id)
        return super().run_trial(trial, *args, callbacks=[*callbacks, lime], **given)


def search(tuner: type[keras_tuner.RandomSearch], folder: Path, callbacks: list[LimeCallback]) -> list[str]:
    images, labels, _ = bright_squares(32)
    keras.utils.set_random_seed(0)
    found = tuner(build, "val_loss", max_trials=3, directory=str(folder), project_name="search", seed=1)
    found.search(
        images,
        labels,
        validation_data=(images[:8], labels[:8]),
        epochs=2,
        verbose=0,
        batch_size=16,
        callbacks=callbacks,
    )
    return sorted(found.oracle.trials)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_trial_is_a_run(tmp_path: Path) -> None:
    search(keras_tuner.RandomSearch, tmp_path, [callback(tmp_path / "logs")])
    runs = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert runs == ["lime", "lime-2", "lime-3"]
    for run in runs:
        assert list(read_events(tmp_path / "logs" / run).records(SUMMARY_TAG)) == [0, 1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_trial_in_a_folder_of_its_name(tmp_path: Path) -> None:
    trials = search(_NamedTrials, tmp_path, [])
    logs = tmp_path / "search" / "logs"
    assert sorted(path.name for path in logs.iterdir()) == trials
    assert all(list(read_events(logs / trial / "lime").records(SUMMARY_TAG)) == [0, 1] for trial in trials)
