"""`SwapBackgrounds` in every kind of pipeline, with every kind of label."""

import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import ProbeSet, SwapBackgrounds
from tests.curing.worlds import Scenes, scenes

WORLD = scenes(64)


def pool(count: int = 16) -> ProbeSet:
    own = scenes(count, seed=5)
    return ProbeSet(own.images, own.labels, masks=own.masks)


def changed(before: Any, after: Any) -> int:
    return int((np.asarray(before) != np.asarray(after)).any(axis=(1, 2, 3)).sum())


def reds(images: Any) -> Any:
    return (np.asarray(images)[..., 0] > 180).any(axis=(1, 2))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_batch_is_replaced(share: float) -> None:
    images, labels = SwapBackgrounds(pool(), share)(WORLD.images[:32], WORLD.labels[:32])
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert changed(WORLD.images[:32], images) == 32 * share
    np.testing.assert_array_equal(reds(images), labels == 0)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
@pytest.mark.parametrize("form", ["ids", "column", "one-hot", "float ids"])
def test_labels_and_images_keep_their_form(form: str, dtype: str) -> None:
    labels: Any = {
        "ids": WORLD.labels.astype(np.int32),
        "column": WORLD.labels[:, None],
        "one-hot": np.eye(2, dtype=np.float32)[WORLD.labels],
        "float ids": WORLD.labels.astype(np.float32),
    }[form]
    images, found = SwapBackgrounds(pool())(WORLD.images.astype(dtype), labels)
    assert (images.dtype, found.dtype, found.shape) == (np.dtype(dtype), labels.dtype, labels.shape)
    classes = found.argmax(axis=1) if form == "one-hot" else found.reshape(-1)
    np.testing.assert_array_equal(reds(images), classes == 0)


def test_off_at_inference_and_dicts_and_weights() -> None:
    layer = SwapBackgrounds(pool())
    images, _ = layer(WORLD.images, WORLD.labels, training=False)
    np.testing.assert_array_equal(images, WORLD.images)
    weights = np.arange(64.0)
    found = layer({"images": WORLD.images, "labels": WORLD.labels, "more": weights})
    assert changed(WORLD.images, found["images"]) == 32
    assert found["more"] is weights
    assert layer(WORLD.images, WORLD.labels, weights)[2] is weights


def test_the_seed_decides() -> None:
    one, two, other = (SwapBackgrounds(pool(), seed=seed)(WORLD.images, WORLD.labels)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert changed(one, other) > 0
    layer = SwapBackgrounds(pool(), seed=1)
    first, second = (layer(WORLD.images, WORLD.labels)[0] for _ in range(2))
    assert changed(first, second) > 0


class _Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        rows = slice(index * 16, index * 16 + 16)
        return WORLD.images[rows], WORLD.labels[rows]


def test_a_py_dataset_and_arrays_and_generators() -> None:
    data = SwapBackgrounds(pool()).dataset(_Batches())
    assert isinstance(data, keras.utils.PyDataset)
    assert len(data) == 4
    assert changed(WORLD.images[16:32], data[1][0]) == 8
    arrays = SwapBackgrounds(pool()).dataset((WORLD.images, WORLD.labels), batch_size=24)
    assert [len(arrays[index][0]) for index in range(len(arrays))] == [24, 24, 16]
    before = arrays[0][1].copy()
    arrays.on_epoch_end()
    assert (arrays[0][1] != before).any()

    def generator() -> Iterator[Any]:
        yield WORLD.images[:16], WORLD.labels[:16]

    ((images, _),) = SwapBackgrounds(pool()).dataset(generator())
    assert changed(WORLD.images[:16], images) == 8
    with pytest.raises(TypeError, match="Received: int"):
        SwapBackgrounds(pool()).dataset(3)


def test_tf_data_under_every_backend() -> None:
    tf = pytest.importorskip("tensorflow", reason="tf.data needs TensorFlow")
    data = tf.data.Dataset.from_tensor_slices((WORLD.images, WORLD.labels)).batch(32)
    mapped = data.map(SwapBackgrounds(pool()))
    assert mapped.element_spec[0].shape.as_list() == [None, 32, 32, 3]
    images, labels = next(iter(mapped))
    assert changed(WORLD.images[:32], images.numpy()) == 16
    np.testing.assert_array_equal(reds(images.numpy()), labels.numpy() == 0)
    again, _ = next(iter(SwapBackgrounds(pool()).dataset(data)))
    np.testing.assert_array_equal(images.numpy(), again.numpy())


def test_a_torch_loader() -> None:
    torch = pytest.importorskip("torch", reason="DataLoader is PyTorch's")
    given = torch.utils.data.TensorDataset(torch.from_numpy(WORLD.images), torch.from_numpy(WORLD.labels))
    loader = torch.utils.data.DataLoader(given, batch_size=16)
    images, labels = next(iter(SwapBackgrounds(pool()).dataset(loader)))
    assert isinstance(images, torch.Tensor)
    assert changed(WORLD.images[:16], images) == 8
    np.testing.assert_array_equal(reds(images), labels.numpy() == 0)


def test_a_model_fits_on_it() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data = SwapBackgrounds(pool()).dataset((WORLD.images, WORLD.labels))
    history = model.fit(data, epochs=12, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    elsewhere: Scenes = scenes(40, correlation=0.0, seed=9)
    assert model.evaluate(elsewhere.images, elsewhere.labels, verbose=0)[1] > 0.9


def test_the_layer_comes_back_from_its_config() -> None:
    layer = SwapBackgrounds(pool(), 0.25, seed=3)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    again = keras.saving.deserialize_keras_object(config)
    one, two = (each(WORLD.images, WORLD.labels)[0] for each in (layer, again))
    np.testing.assert_array_equal(one, two)


def test_pools_that_cannot_serve_are_refused() -> None:
    with pytest.raises(TypeError, match="`pool` must be a ProbeSet. Received: ndarray"):
        SwapBackgrounds(WORLD.images)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must have labels"):
        SwapBackgrounds(ProbeSet(WORLD.images))
    with pytest.raises(ValueError, match="without object masks or boxes"):
        SwapBackgrounds(ProbeSet(WORLD.images, WORLD.labels, outlines=None))
    for share in (-0.1, 1.5, True, "half"):
        with pytest.raises(ValueError, match="`share` must be a share"):
            SwapBackgrounds(pool(), share)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 16, 16, 3), np.float32), "of the shape of a batch's"),
        (np.zeros((32, 32, 3), np.uint8), "after batching"),
        (np.full((4, 32, 32, 3), 0.7, np.float32), "Rescale the pool"),
    ],
)
def test_batches_that_do_not_fit_the_pool_are_refused(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SwapBackgrounds(pool())(images, np.zeros(len(images), np.int64))


def test_too_few_columns_of_labels() -> None:
    world = scenes(8)
    high = ProbeSet(world.images, world.labels + 3, masks=world.masks)
    with pytest.raises(ValueError, match="label 4 for one-hot labels of 2 classes"):
        SwapBackgrounds(high)(WORLD.images, np.eye(2)[WORLD.labels])


def test_labels_that_composites_cannot_have_are_refused() -> None:
    layer = SwapBackgrounds(pool())
    labels: Any = WORLD.labels.copy()
    labels[5] = 2
    with pytest.raises(ValueError, match="usable mask of every class.*none of class 2, which a batch holds"):
        layer(WORLD.images, labels)
    with pytest.raises(ValueError, match="one class each.*Received: rows of several classes"):
        layer(WORLD.images, np.ones((64, 2)))
    with pytest.raises(ValueError, match="one class each.*Received: numbers such as 0.5"):
        layer(WORLD.images, WORLD.labels / 2)
    # Soft rows have one class still.
    layer(WORLD.images, (0.9 * np.eye(2)[WORLD.labels] + 0.05).astype(np.float16))
