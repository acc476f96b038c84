"""A network that reads the scene is cured by each method that can, and the receipt proves it."""

import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import ProbeSet, SwapBackgrounds, cure
from keras_lime.api.cure import METHODS
from keras_lime.curing.changes import Outcome
from keras_lime.curing.finetune import EPOCHS, MOST_EPOCHS, finetune
from keras_lime.curing.model_copy import copy_model
from tests.curing.worlds import scenes
from tests.support.events import read_events

TRAIN = scenes(240, correlation=0.99, striped=True)
VALIDATION = scenes(80, correlation=0.97, seed=1, striped=True)
ELSEWHERE = scenes(80, correlation=0.0, seed=2, striped=True)


def network(columns: int = 2, activation: str = "softmax") -> keras.Model:
    """It can see stripes and scenes, and learns the scene first, which fills the image."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1)])
    model.add(keras.layers.Conv2D(16, 5, activation="relu"))
    model.add(keras.layers.MaxPooling2D(4))
    model.add(keras.layers.GlobalMaxPooling2D())
    model.add(keras.layers.Dense(columns, activation=activation))
    loss = "binary_crossentropy" if columns == 1 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def trained() -> Any:
    model = network()
    model.fit(TRAIN.images, TRAIN.labels, epochs=6, verbose=0)
    assert accuracy(model, VALIDATION) > 0.9
    assert accuracy(model, ELSEWHERE) < 0.5
    return model


def accuracy(model: Any, world: Any) -> float:
    return float((model.predict(world.images, verbose=0).argmax(axis=1) == world.labels).mean())


def pool(count: int = 60) -> ProbeSet:
    return ProbeSet(TRAIN.images[:count], TRAIN.labels[:count], masks=TRAIN.masks[:count])


def probes(count: int = 40) -> ProbeSet:
    shown = scenes(count, correlation=0.97, seed=3, striped=True)
    return ProbeSet(shown.images, shown.labels, masks=shown.masks, class_names=["lying", "standing"])


def test_finetune_cures_and_proves_it(trained: Any, tmp_path: Path) -> None:
    weights = [np.array(weight) for weight in trained.get_weights()]
    cured, receipt = cure(
        trained,
        (TRAIN.images, TRAIN.labels),
        pool(),
        epochs=6,
        validation_data=(VALIDATION.images, VALIDATION.labels),
        probes=probes(),
        log_dir=tmp_path / "cured",
    )
    assert accuracy(cured, ELSEWHERE) > 0.9
    assert accuracy(cured, VALIDATION) > 0.9
    assert receipt.outcome is Outcome.BETTER, str(receipt)
    changes = {change.name: change for change in receipt.changes}
    flips = changes["predictions that change with the background"]
    assert flips.before - flips.after > 0.4
    assert flips.high < 0
    assert changes["accuracy on the validation set"].n == 80
    assert str(receipt).splitlines()[0].split()[:2] == ["before", "after"]
    # The given model is as it was.
    for before, after in zip(weights, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    # The receipt is a run: as trained at step 0, cured at step 1.
    assert list(read_events(tmp_path / "cured" / "lime").records("keras_lime/summary")) == [0, 1]


def test_a_model_that_knows_no_object_learns_them_first() -> None:
    """As one that read nothing but the scene; with one sigmoid column, too."""
    cured, receipt = cure(network(1, "sigmoid"), (TRAIN.images, TRAIN.labels), pool(), probes=probes())
    # Four epochs of eight batches would not do.
    assert len(cured.history.epoch) > EPOCHS
    assert ((cured.predict(ELSEWHERE.images, verbose=0)[:, 0] > 0.5) == ELSEWHERE.labels).mean() > 0.9
    # Without validation data the probes themselves say whether the model got worse.
    assert receipt.changes[0].name == "accuracy on the probes"
    assert receipt.outcome is Outcome.BETTER, str(receipt)


def test_epochs_end_where_nothing_can_be_learned(trained: Any) -> None:
    rng = np.random.default_rng(0)
    own = ProbeSet(TRAIN.images[:60], rng.integers(0, 2, 60), masks=TRAIN.masks[:60])
    cured, _ = cure(trained, (TRAIN.images[:64], rng.integers(0, 2, 64)), own, epochs=1)
    assert len(cured.history.epoch) == MOST_EPOCHS - 1


def test_the_seed_decides(trained: Any) -> None:
    state = random.getstate()
    one, two, other = (
        finetune(trained, (TRAIN.images, TRAIN.labels), pool(), epochs=1, seed=seed).get_weights() for seed in (1, 1, 2)
    )
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.abs(one[0] - other[0]).max() > 1e-3
    assert random.getstate() == state


def test_the_last_layer_alone_learns_anew(trained: Any) -> None:
    cured, receipt = cure(
        trained,
        (TRAIN.images, TRAIN.labels),
        pool(),
        "head",
        validation_data=(VALIDATION.images, VALIDATION.labels),
    )
    for layer, own in zip(cured.layers[:-1], trained.layers[:-1], strict=True):
        for one, two in zip(layer.get_weights(), own.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
    assert (cured.layers[-1].get_weights()[0] != trained.layers[-1].get_weights()[0]).any()
    assert accuracy(cured, ELSEWHERE) > 0.9
    assert [change.name for change in receipt.changes] == ["accuracy on the validation set"]


def test_a_clean_network_loses_nothing() -> None:
    world = scenes(240, correlation=0.5, striped=True)
    model = network()
    model.fit(world.images, world.labels, epochs=15, verbose=0)
    own = ProbeSet(world.images[:60], world.labels[:60], masks=world.masks[:60])
    held_out = scenes(80, correlation=0.5, seed=7, striped=True)
    _, receipt = cure(
        model, (world.images, world.labels), own, validation_data=(held_out.images, held_out.labels), probes=probes()
    )
    assert receipt.outcome in (Outcome.BETTER, Outcome.NO_DIFFERENCE), str(receipt)


def test_outlines_of_a_pool_are_estimated(trained: Any) -> None:
    """Nobody outlined the squares, but red and blue stand out from the scenes: composites hold little else."""
    plain = scenes(60)
    layer = SwapBackgrounds(ProbeSet(plain.images, plain.labels), 1.0)
    given = SwapBackgrounds(ProbeSet(plain.images, plain.labels, masks=plain.masks), 1.0)
    one, two = (np.asarray(each(plain.images, plain.labels)[0], np.float64) for each in (layer, given))
    # The same objects and scenes, drawn by the same seed: only the outlines differ.
    assert np.abs(one - two).mean() < 5
    noise = np.random.default_rng(0).integers(0, 256, TRAIN.images[:60].shape, np.uint8)
    with pytest.raises(ValueError, match="outlines that can be estimated.*objects hardly stand out"):
        cure(trained, (TRAIN.images, TRAIN.labels), ProbeSet(noise, TRAIN.labels[:60]))


def test_probes_without_masks_are_measured_by_estimates(trained: Any) -> None:
    shown = scenes(80, correlation=0.97, seed=3, striped=True)
    _, receipt = cure(
        trained, (TRAIN.images, TRAIN.labels), pool(), epochs=6, probes=ProbeSet(shown.images, shown.labels)
    )
    assert receipt.outcome is Outcome.BETTER, str(receipt)
    assert "Suspicion" not in str(receipt)
    changes = {change.name: change for change in receipt.changes}
    assert changes["predictions that change with the background"].high < 0
    assert np.isnan(changes["object share, grey baseline"].before)


def test_mixed_precision_is_kept(trained: Any) -> None:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = network()
        model.fit(TRAIN.images, TRAIN.labels, epochs=6, verbose=0)
        for method in ("finetune", "head"):
            cured, _ = cure(model, (TRAIN.images, TRAIN.labels), pool(), method, epochs=6)
            assert accuracy(cured, ELSEWHERE) > 0.85
            assert cured.layers[-1].compute_dtype == "bfloat16"
    finally:
        keras.config.set_dtype_policy(policy)


def test_several_labels_an_image_are_refused() -> None:
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3, activation="sigmoid"))
    model.compile("sgd", "binary_crossentropy")
    many = np.eye(3)[TRAIN.labels].astype("float32")
    many[:, 2] = 1
    for method in ("finetune", "head"):
        with pytest.raises(ValueError, match="one class each"):
            cure(model, (TRAIN.images, many), pool(), method)


def test_models_with_several_inputs_are_refused() -> None:
    image, age = keras.Input((32, 32, 3)), keras.Input((1,))
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(image), age])
    model = keras.Model([image, age], keras.layers.Dense(2, activation="softmax")(joined))
    with pytest.raises(ValueError, match="a model with 2 inputs"):
        cure(model, (TRAIN.images, TRAIN.labels), pool())


def test_what_cannot_work_is_refused(trained: Any) -> None:
    data = (TRAIN.images, TRAIN.labels)
    with pytest.raises(ValueError, match="the proof would be circular"):
        cure(trained, data, pool(), probes=pool(10))
    with pytest.raises(ValueError, match="without object masks or boxes"):
        cure(trained, data, ProbeSet(TRAIN.images[:9], TRAIN.labels[:9], outlines=None))
    with pytest.raises(ValueError, match="`method` must be one of finetune, head"):
        cure(trained, data, pool(), "magic")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a Keras model"):
        cure(lambda x: x, data, pool())
    with pytest.raises(TypeError, match="`probes` must be a ProbeSet"):
        cure(trained, data, pool(), probes=TRAIN.images)  # type: ignore[arg-type]


def test_pools_that_do_not_fit_the_model_are_refused(trained: Any) -> None:
    data = (TRAIN.images, TRAIN.labels)
    high = ProbeSet(TRAIN.images[:20], TRAIN.labels[:20] + 5, masks=TRAIN.masks[:20])
    for method in METHODS:
        with pytest.raises(ValueError, match="usable mask of every class.*Received: none of class 2"):
            cure(network(3), data, pool(), method)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="label 6 for a model of 2 classes"):
            cure(trained, data, high, method)  # type: ignore[arg-type]
    small = ProbeSet(TRAIN.images[:20, :24, :24], TRAIN.labels[:20], masks=TRAIN.masks[:20, :24, :24])
    with pytest.raises(ValueError, match=r"takes, \(32, 32, 3\). Received: shape=\(24, 24, 3\)"):
        cure(trained, data, small, "head")
    several = ProbeSet(TRAIN.images[:20], np.ones((20, 2), int), masks=TRAIN.masks[:20])
    with pytest.raises(ValueError, match="`pool` must have labels"):
        cure(trained, data, several)


def test_what_the_receipt_needs_is_checked_before_the_training(trained: Any) -> None:
    """The training data are wrong too, and nobody looked at them yet."""
    with pytest.raises(ValueError, match="`validation_data` must have labels"):
        cure(trained, None, pool(), validation_data=VALIDATION.images)
    with pytest.raises(ValueError, match="`validation_data` must hold images"):
        cure(trained, None, pool(), validation_data=(VALIDATION.images[:0], VALIDATION.labels[:0]))
    with pytest.raises(TypeError, match="readable twice.*Received: list_iterator"):
        cure(trained, None, pool(), validation_data=iter([(VALIDATION.images, VALIDATION.labels)]))
    with pytest.raises(TypeError, match="`train_data` must be .* Received: NoneType"):
        cure(trained, None, pool())
    for epochs in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="`epochs` must be a whole number"):
            cure(trained, None, pool(), epochs=epochs)  # type: ignore[arg-type]


def test_layers_that_are_frozen_stay_as_they_are(trained: Any) -> None:
    part = copy_model(trained)
    part.layers[1].trainable = False
    cured, receipt = cure(part, (TRAIN.images, np.eye(2)[TRAIN.labels]), pool(), epochs=1)
    for one, two in zip(part.layers[1].get_weights(), cured.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not cured.layers[1].trainable
    assert (cured.layers[-1].get_weights()[0] != part.layers[-1].get_weights()[0]).any()
    assert receipt.sentences == ("Nothing was measured. Give `validation_data`, and `probes` with labels and masks.",)


def test_models_whose_output_means_nothing_are_refused() -> None:
    raw = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="Compile it with the loss of its training"):
        cure(raw, (TRAIN.images, TRAIN.labels), pool())


def test_frozen_models_and_models_without_a_dense_end() -> None:
    frozen = network()
    frozen.trainable = False
    with pytest.raises(ValueError, match="layers are all frozen"):
        cure(frozen, (TRAIN.images, TRAIN.labels), pool())
    inputs = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(inputs))
    convolutional = keras.Model(inputs, keras.layers.Softmax()(pooled))
    with pytest.raises(ValueError, match='`method` must be "finetune"'):
        cure(convolutional, (TRAIN.images, TRAIN.labels), pool(), "head")


def test_regressions_are_refused() -> None:
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for method in ("finetune", "head"):
        with pytest.raises(ValueError, match="classifier"):
            cure(model, (TRAIN.images, TRAIN.labels), pool(), method)
