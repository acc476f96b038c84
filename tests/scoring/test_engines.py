import gc
import os
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime.scoring import make_scorer
from keras_lime.scoring.engines import engine_for, is_out_of_memory, smaller_engine
from keras_lime.scoring.engines.cache import automatic_batch_size
from tests.support.classifiers import classifier, predict, score
from tests.support.plans import grid_plan, model_inputs, noise

layers = keras.layers
BACKEND = keras.backend.backend()
SHAPE = (16, 16, 3)


class CountCalls(keras.layers.Layer):
    """Keeps state that every call changes, in training or not."""

    def build(self, input_shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        self.calls.assign_add(1.0)
        return inputs


class NoisyAlways(keras.layers.Layer):
    """Draws random numbers in inference too."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs: Any) -> Any:
        return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)


def test_no_state_of_the_model_changes() -> None:
    model = keras.Sequential(
        [keras.Input(SHAPE), layers.BatchNormalization(), CountCalls(), NoisyAlways(), layers.Flatten()]
    )
    model.add(layers.Dense(2, activation="softmax", activity_regularizer="l2"))
    before = [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in model.variables]
    score(make_scorer(model, SHAPE), grid_plan(noise(SHAPE)))
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(variable.value), err_msg=variable.path)
    assert all(isinstance(float(loss), float) for loss in model.losses)


def test_weights_are_read_at_every_call() -> None:
    model, plan = classifier(), grid_plan(noise(SHAPE))
    scorer = make_scorer(model, SHAPE)
    first = score(scorer, plan, 0).values
    model.set_weights([2 * weight + 0.3 for weight in model.get_weights()])
    second = score(scorer, plan, 0).values
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(second[:, 0], predict(model, model_inputs(plan))[:, 0], atol=1e-6)
    assert engine_for(model, SHAPE).traces <= 1


class Watch(keras.callbacks.Callback):
    """Scores within `fit`, at the ends of epochs and of batches."""

    def __init__(self, plan: Any) -> None:
        super().__init__()
        self.plan = plan
        self.epochs: list[Any] = []
        self.batches: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.scorer = make_scorer(self.model, SHAPE)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append((score(self.scorer, self.plan, 0, 1, 2).values, self.model.get_weights()))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches.append(score(self.scorer, self.plan, 0).values)


def compiled(model: Any) -> Any:
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model


def fit(model: Any, *callbacks: Any) -> Any:
    images, labels = noise((24, *SHAPE)), np.arange(24) % 3
    model.fit(images, labels, 8, 2, 0, callbacks, validation_data=(images, labels), shuffle=False)
    return model


def without_dropout() -> Any:
    keras.utils.set_random_seed(1)
    model = classifier(kernel_initializer=keras.initializers.RandomNormal(0.5, seed=1))
    model.layers[3].rate = 0.0
    return compiled(model)


def test_the_current_weights_are_scored_within_fit() -> None:
    plan = grid_plan(noise(SHAPE, 3))
    watch = Watch(plan)
    model = fit(without_dropout(), watch)
    np.testing.assert_allclose(watch.epochs[-1][0], predict(model, model_inputs(plan)), atol=1e-6)
    model.set_weights(watch.epochs[0][1])
    np.testing.assert_allclose(watch.epochs[0][0], predict(model, model_inputs(plan)), atol=1e-6)
    assert len({round(float(values[0, 0]), 7) for values in watch.batches}) == 6
    assert engine_for(model, SHAPE).traces <= 1


def test_scoring_within_fit_leaves_training_as_it_was() -> None:
    watched, alone = fit(without_dropout(), Watch(grid_plan(noise(SHAPE, 3)))), fit(without_dropout())
    for one, other in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(BACKEND != "jax", reason="only the JAX trainer holds the weights outside the model")
def test_weights_held_by_an_outer_training_are_asked_for() -> None:
    inner = classifier()
    outer = keras.Sequential([keras.Input(SHAPE), inner])
    plan, seen = grid_plan(noise(SHAPE)), []

    class WatchInner(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            with pytest.raises(RuntimeError, match="Call `jax_state_sync\\(\\)` of that model first"):
                score(make_scorer(inner, SHAPE), plan)
            outer.jax_state_sync()
            seen.append(score(make_scorer(inner, SHAPE), plan, 0).values)

    fit(compiled(outer), WatchInner())
    np.testing.assert_allclose(seen[-1][:, 0], predict(outer, model_inputs(plan))[:, 0], atol=1e-6)


def test_nothing_is_traced_from_image_to_image() -> None:
    model = classifier()
    traces = set()
    for turn in range(200):
        plan = grid_plan(noise(SHAPE, turn), 2 + turn % 14, 2 + turn % 11, 3 + turn % 5, turn)
        score(make_scorer(model, SHAPE, batch_size=8), plan)
        traces.add(engine_for(model, SHAPE, batch_size=8).traces)
    assert len(traces) == 1
    assert traces <= {0, 1}


def test_compiled_functions_do_not_keep_a_model_alive() -> None:
    model: Any = classifier()
    scorer: Any = make_scorer(model, SHAPE)
    score(scorer, grid_plan(noise(SHAPE)))
    engine = engine_for(model, SHAPE)
    reference = weakref.ref(model)
    del model, scorer
    gc.collect()
    assert reference() is None
    assert engine.spec.batch_size == 128


def test_a_model_that_changed_is_compiled_anew() -> None:
    model = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(3), layers.Softmax()])
    plan = grid_plan(noise((8, 8)))
    engine = engine_for(model, (8, 8))
    assert engine_for(model, (8, 8)) is engine
    model.layers[1].activation = keras.activations.tanh
    assert engine_for(model, (8, 8)) is not engine
    scores = score(make_scorer(model, (8, 8)), plan, 0, 1, 2)
    assert scores.values.max() < np.exp(2) / (np.exp(2) + 2)
    model.pop()
    scores = score(make_scorer(model, (8, 8), "regression"), plan, 0, 1, 2)
    assert np.abs(scores.values).max() <= 1
    assert scores.values.min() < 0


def test_few_engines_are_kept() -> None:
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(inputs))))
    references = [weakref.ref(engine_for(model, (size, size, 1))) for size in range(8, 20)]
    gc.collect()
    assert [reference() is not None for reference in references] == [False] * 4 + [True] * 8


class LittleMemory(keras.layers.Layer):
    """Fails as an accelerator does when a batch is larger than its memory."""

    def call(self, inputs: Any) -> Any:
        if inputs.shape[0] is not None and inputs.shape[0] > 20:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 68719476736 bytes.")
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def test_batches_are_halved_until_they_fit() -> None:
    model = keras.Sequential([keras.Input((8, 8)), LittleMemory(), layers.Flatten(), layers.Dense(3), layers.Softmax()])
    plans = [grid_plan(noise((8, 8), seed), num_samples=50, seed=seed) for seed in range(3)]
    scorer = make_scorer(model, (8, 8))
    for plan, scores in zip(plans, scorer(plans, [(0, 1, 2)] * 3), strict=True):
        expected = model.predict(model_inputs(plan), batch_size=10, verbose=0)
        np.testing.assert_allclose(scores.values, expected, atol=1e-6)
    assert engine_for(model, (8, 8)).spec.batch_size == 16


def test_two_scorings_at_once_share_the_halved_batch() -> None:
    model = keras.Sequential([keras.Input((8, 8)), LittleMemory(), layers.Flatten(), layers.Dense(3), layers.Softmax()])
    plans = [grid_plan(noise((8, 8), seed), num_samples=200, seed=seed) for seed in range(2)]
    scorer = make_scorer(model, (8, 8))
    pairs = list(zip(scorer(plans, [(0,)] * 2), scorer(plans, [(0,)] * 2), strict=True))
    for one, other in pairs:
        np.testing.assert_array_equal(one.values, other.values)
    engine = engine_for(model, (8, 8))
    assert smaller_engine(model, (8, 8), None, None, used=128) is engine
    assert smaller_engine(model, (8, 8), None, None, used=16).spec.batch_size == 8


def test_memory_errors_are_known_by_what_they_say() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert is_out_of_memory(RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(ValueError("shapes do not match"))


def test_batch_sizes_follow_the_image_size() -> None:
    model = classifier()
    sizes = [automatic_batch_size(model, (size, size)) for size in (8, 64, 128, 224, 1024)]
    assert sizes == [128, 128, 32, 16, 8]


def run_python(code: str, **environment: str) -> str:
    """Output of a fresh interpreter on this backend."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "KERAS_BACKEND": BACKEND, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_other_backends_are_not_imported() -> None:
    others = {"tensorflow", "jax", "torch"} - {BACKEND}
    code = f"""
    import sys, numpy as np, keras
    before = set(sys.modules)
    from tests.support.classifiers import classifier
    from keras_lime.scoring import make_scorer
    make_scorer(classifier(), (16, 16, 3))
    print([name for name in {sorted(others)} if name in set(sys.modules) - before])
    """
    assert run_python(code).strip().endswith("[]")


DISTRIBUTED_FIT = """
    from tests.support.plans import grid_plan, model_inputs, noise
    from tests.support.classifiers import classifier, predict, score
    from tests.scoring.test_engines import SHAPE, Watch, compiled, fit
    plan = grid_plan(noise(SHAPE, 3))
    watch = Watch(plan)
    with scope:
        model = compiled(classifier())
    fit(model, watch)
    # With the weights that would be saved: the replicas' batch statistics differ, and `predict` uses them all.
    model.set_weights(model.get_weights())
    np.testing.assert_allclose(watch.epochs[-1][0], predict(model, model_inputs(plan)), atol=1e-6)
    print("devices", len({device}))
"""


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="MirroredStrategy is TensorFlow's")
def test_models_under_a_mirrored_strategy() -> None:
    head = """
    import keras, numpy as np, tensorflow as tf
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
    """
    code = head + DISTRIBUTED_FIT.replace("{device}", "model.weights[0].value.values")
    assert "devices 2" in run_python(code)


@pytest.mark.skipif(BACKEND != "jax", reason="DataParallel is for JAX")
def test_models_under_data_parallel() -> None:
    head = """
    import contextlib, keras, numpy as np
    scope = contextlib.nullcontext()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    """
    code = head + DISTRIBUTED_FIT.replace("{device}", "model.weights[0].value.sharding.device_set")
    assert "devices 2" in run_python(code, XLA_FLAGS="--xla_force_host_platform_device_count=2")
