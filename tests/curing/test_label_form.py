"""Ids or rows: told from every data set without drawing from it, and the loss follows."""

from typing import Any

import keras
import numpy as np
import pytest

from keras_lime.curing.label_form import labels_are_rows
from keras_lime.curing.model_copy import loss_of_labels
from tests.curing.worlds import scenes

WORLD = scenes(8)
FORMS = [(WORLD.labels, False), (WORLD.labels[:, None], False), (np.eye(2)[WORLD.labels], True)]


class _Batches(keras.utils.PyDataset):
    def __init__(self, labels: Any) -> None:
        super().__init__()
        self._labels = labels

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return WORLD.images, self._labels


@pytest.mark.parametrize(("labels", "rows"), FORMS)
def test_every_kind_of_data_set(labels: Any, rows: bool) -> None:
    assert labels_are_rows((WORLD.images, labels)) is rows
    assert labels_are_rows(_Batches(labels)) is rows
    given = iter([(WORLD.images, labels)])
    assert labels_are_rows(given) is None
    assert len(list(given)) == 1


@pytest.mark.parametrize(("labels", "rows"), FORMS)
def test_data_sets_of_tensorflow_and_torch(labels: Any, rows: bool) -> None:
    tf = pytest.importorskip("tensorflow", reason="tf.data needs TensorFlow")
    torch = pytest.importorskip("torch", reason="DataLoader is PyTorch's")
    assert labels_are_rows(tf.data.Dataset.from_tensor_slices((WORLD.images, labels)).batch(4)) is rows
    given = torch.utils.data.TensorDataset(torch.from_numpy(WORLD.images), torch.from_numpy(labels))
    state = torch.get_rng_state()
    assert labels_are_rows(torch.utils.data.DataLoader(given, batch_size=4, shuffle=True)) is rows
    assert torch.equal(torch.get_rng_state(), state)


def test_the_loss_is_the_models_own_where_it_fits() -> None:
    def loss(own: Any, rows: bool | None) -> Any:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
        if own is not None:
            model.compile("sgd", own)
        return loss_of_labels(model, False, rows)

    ids, one_hot = keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy
    assert isinstance(loss(None, None), ids)
    assert isinstance(loss(None, True), one_hot)
    # Trained with rows, and given ids by a folder, and the other way round.
    for own in ("categorical_crossentropy", one_hot(label_smoothing=0.1), keras.losses.categorical_crossentropy):
        assert isinstance(loss(own, False), ids)
        assert loss(own, True) is own
    for own in ("sparse_categorical_crossentropy", ids()):
        assert isinstance(loss(own, True), one_hot)
        assert loss(own, False) is own
    focal = keras.losses.CategoricalFocalCrossentropy()
    assert loss(focal, True) is focal
