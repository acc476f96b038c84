"""The callback in trainings on several devices, each in a process of its own, because devices are set up only once."""

from pathlib import Path

import keras
import pytest

from keras_lime.tensorboard.records import SUMMARY_TAG
from tests.scoring.test_engines import run_python
from tests.support.events import read_events

BACKEND = keras.backend.backend()

FIT = """
    import sys
    from tests.training.test_callback import callback, fit, make_model, probes
    with scope:
        model = make_model()
    history = fit([callback({folder!r})], model, epochs=3).history
    explanations = callback({folder!r} + "/after").explain(model, 2)
    shares = history["lime_object_share"]
    assert len(shares) == 3 and all(0 <= share <= 1 for share in shares), shares
    assert len(explanations) == len(probes())
    print("devices", len({device}))
"""


def _check(output: str, folder: Path) -> None:
    assert "devices 2" in output
    assert list(read_events(folder / "lime").records(SUMMARY_TAG)) == [0, 1, 2]
    assert list(read_events(folder / "after" / "lime").records(SUMMARY_TAG)) == [2]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="MirroredStrategy is TensorFlow's")
def test_under_a_mirrored_strategy(tmp_path: Path) -> None:
    head = """
    import keras, tensorflow as tf
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
    """
    code = head + FIT.format(folder=str(tmp_path), device="model.weights[0].value.values")
    _check(run_python(code), tmp_path)


@pytest.mark.skipif(BACKEND != "jax", reason="DataParallel is for JAX")
def test_under_data_parallel(tmp_path: Path) -> None:
    head = """
    import contextlib, keras
    scope = contextlib.nullcontext()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    """
    code = head + FIT.format(folder=str(tmp_path), device="model.weights[0].value.sharding.device_set")
    _check(run_python(code, XLA_FLAGS="--xla_force_host_platform_device_count=2"), tmp_path)
