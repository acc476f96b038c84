"""What cannot be audited is refused, with its remedy, before anything is written."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from keras_lime import audit
from keras_lime.exceptions import LimeWarning
from keras_lime.scoring.engines import active_backend
from tests.support.audits import QUIET, classifier, png, slow_reader, write_folder
from tests.support.worlds import squares


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return classifier()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": "spark"}, r"`engine` must be one of local, ray"),
        ({"workers": 0}, "`workers` must be an integer of at least 1"),
        ({"shard_size": 0}, "`shard_size` must be"),
        ({"gpus_per_worker": 1}, "`gpus_per_worker` must be a number of GPUs, for engine"),
        ({"value_range": (1, 0)}, "`value_range` must be"),
        ({"baseline": "dataset"}, '`baseline` must not be "dataset"'),
        ({"class_names": ["a", "b"]}, "`class_names` must hold one name for each of the model's 4 outputs"),
        ({"columns": {"image": "x"}}, "`columns` is for tables alone"),
        ({"num_samples": 5}, "`num_samples` must be at least the number of superpixels"),
        ({"image": 1}, "`image` is no setting"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(
    change: dict[str, Any], message: str, model: keras.Model, tmp_path: Path
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        audit(model, squares(8), tmp_path / "out", **{**QUIET, **change})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ((np.zeros((4, 16, 16, 3), np.uint8), np.zeros(4, int)), r"the shape that the model takes, \(32, 32, 3\)"),
        ((np.zeros((4, 32, 32, 1), np.uint8), np.zeros(4, int)), r"the shape that the model takes"),
        ((np.zeros((0, 32, 32, 3), np.uint8),), "at least one image"),
        ((np.zeros((4, 32, 32, 3), np.uint8), np.zeros(3, int)), "one label for each of the 4 images"),
        ("nowhere", "`dataset` must be a folder, a file or a data set"),
        (iter(()), "`dataset` must give at least one image"),
        ({"image": 1}, "`dataset` must be"),
        (pa.table({"picture": [b""]}), "`dataset` must have a column 'image'"),
        (pa.table({"image": [1]}), "encoded image files"),
    ],
)
def test_data_that_do_not_fit_are_refused(dataset: Any, message: str, model: keras.Model, tmp_path: Path) -> None:
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        audit(model, dataset, tmp_path / "out", **QUIET)
    assert not (tmp_path / "out").exists()


def test_folders_that_do_not_fit_are_refused(model: keras.Model, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8, ("a", "b", "c", "d"))
    (tmp_path / "empty").mkdir()
    for dataset, change, message in (
        (folder, {"class_names": ["x", "y", "z", "w"]}, "`class_names` must name the folders"),
        (folder, {"masks": tmp_path / "nowhere"}, "`masks` must be a folder"),
        (folder, {"masks": tmp_path / "empty"}, "`masks` must hold files with the paths of the images"),
        (folder, {"masks": np.zeros(3)}, "`masks` must be a folder, for a folder of images"),
        (tmp_path / "empty", {}, "`dataset` must hold images"),
        (folder, {"image_size": (8, 8)}, "`image_size` must be"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            audit(model, dataset, tmp_path / "out", **{**QUIET, **change})
    (folder / "e").mkdir()
    with pytest.raises(ValueError, match=r"Received: 5 names, \['a', 'b', 'c', 'd', 'e'\]"):
        audit(model, folder, tmp_path / "out", **QUIET)
    with pytest.raises(FileNotFoundError, match="`model` must be a Keras model or a .keras file"):
        audit(tmp_path / "no.keras", folder, tmp_path / "out", **QUIET)
    assert not (tmp_path / "out").exists()


def test_gpus_that_stay_unused_are_said(model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No machine of these tests has two.
    monkeypatch.setattr(active_backend(), "accelerators", lambda model: 2)
    with pytest.warns(LimeWarning, match='`engine`="local" uses one of the 2 GPUs of this machine. engine="ray" uses'):
        audit(model, squares(8), tmp_path / "keras", **QUIET)
    # A function runs where its author wants.
    audit(slow_reader, squares(8), tmp_path / "function", output="softmax", **QUIET)


def test_a_folder_that_holds_something_else_is_refused(model: keras.Model, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"`out` must be a new or empty folder.*thesis.tex"):
        audit(model, squares(8), tmp_path, **QUIET)


def test_labels_that_are_none_of_the_class_names_are_told(model: keras.Model, tmp_path: Path) -> None:
    images, labels, _ = squares(8, biased=False)
    table = pa.table({"image": [png(image) for image in images], "label": ["abcd"[label] for label in labels]})
    settings = {**QUIET, "baseline": "others"}
    with pytest.raises(ValueError, match="`class_names` must hold one name for each of the model's 4 outputs"):
        audit(model, table, tmp_path / "out", class_names=["a,b,c,d"], **settings)
    with pytest.raises(ValueError, match="Received: 0 of the first 8; the label '.' is none of the class names"):
        audit(model, table, tmp_path / "out", class_names=["w", "x", "y", "z"], **settings)
    assert not (tmp_path / "out").exists()
