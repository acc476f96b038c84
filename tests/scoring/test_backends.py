"""Backends are a registry: one that a test adds reaches its end. What each must not do to users, too."""

import logging
import tracemalloc
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime.scoring import make_scorer
from keras_lime.scoring.engines import BACKENDS, IMAGES_PER_BATCH, EngineSpec, active_backend, engine_for
from keras_lime.scoring.engines.cache import automatic_batch_size
from tests.scoring.test_engines import run_python
from tests.support.classifiers import classifier, predict, score
from tests.support.plans import grid_plan, model_inputs, noise

layers = keras.layers

ON_NUMPY = """
    import keras, numpy as np
    from keras_lime import explain
    from keras_lime.scoring.engines import BACKENDS
    from keras_lime.scoring.engines.model_call import raw_scores

    class NumpyEngine:
        fixed, fixed_score, traces = False, False, 0

        def __init__(self, model, spec):
            self.model, self.spec = model, spec
            self.outputs = raw_scores(model, np.zeros((1, *spec.image_shape), np.float32), spec)[1]

        def stage(self, *arrays):
            return arrays

        def run(self, staged, image_slot, masks):
            images, baselines, labels = (array[image_slot] for array in staged[:3])
            shown = np.take_along_axis(masks, labels.reshape(len(labels), -1), 1).reshape(*labels.shape, 1)
            return self.score(np.where(shown, images, baselines).reshape(len(masks), *self.spec.image_shape))

        def score(self, images, others=()):
            return np.asarray(raw_scores(self.model, images, self.spec, others)[0])

    class NumpyBackend:
        compile = NumpyEngine

        def accelerators(self, model):
            return 0

    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
    weights = np.zeros((8, 8, 2), np.float32)
    weights[2:4, 4:6, 1] = 1
    model.layers[-1].set_weights([weights.reshape(64, 2), np.zeros(2, np.float32)])
    ask = dict(segmentation="grid", n_segments=16, baseline=0.0, num_samples=200, targets=1)
    try:
        explain(model, np.ones((8, 8)), **ask)
    except ValueError as error:
        print(error)
    BACKENDS["numpy"] = NumpyBackend()
    explanation = explain(model, np.ones((8, 8)), **ask)
    print(keras.backend.backend(), explanation.fit.coef[0].argmax(), round(explanation.predicted_value, 3))
"""


def test_a_backend_that_is_added_reaches_explain() -> None:
    # Keras' NumPy backend computes its convolutions and its transforms with JAX.
    pytest.importorskip("jax", reason="Keras' NumPy backend needs JAX.")
    refused, explained = run_python(ON_NUMPY, KERAS_BACKEND="numpy").strip().splitlines()[-2:]
    assert refused == "Keras must run on one of tensorflow, jax, torch. Received: KERAS_BACKEND=numpy."
    assert explained == f"numpy 6 {1 / (1 + np.exp(-4)):.3f}"


def test_the_active_backend_is_the_registered_one(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = active_backend()

    class Counting:
        compiled = 0

        def compile(self, model: Any, spec: EngineSpec) -> Any:
            self.compiled += 1
            return mine.compile(model, spec)

        def __getattr__(self, name: str) -> Any:
            return getattr(mine, name)

    counting: Any = Counting()
    monkeypatch.setitem(BACKENDS, keras.backend.backend(), counting)
    model, plan = classifier((8, 8, 3)), grid_plan(noise((8, 8, 3)))
    scores = score(make_scorer(model, (8, 8, 3)), plan, 0, 1, 2)
    np.testing.assert_allclose(scores.values, predict(model, model_inputs(plan)), atol=1e-6)
    assert counting.compiled == 1


def test_loops_over_models_are_not_warned_of_retracing(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tensorflow").addHandler(caplog.handler)
    for fold in range(7):
        model = classifier((8 + fold, 8, 3))
        scorer = make_scorer(model, (8 + fold, 8, 3))
        score(scorer, grid_plan(noise((8 + fold, 8, 3))))
        scorer.score_images([noise((8 + fold, 8, 3))])
    assert "retracing" not in caplog.text


@pytest.mark.parametrize(
    ("shape", "n_slots", "rows"), [((224, 224, 3), 4, 16), ((1024, 1024, 3), 4, 8), ((2000, 3000, 3), 1, 1)]
)
def test_large_images_take_no_more_room_than_they_need(shape: tuple[int, ...], n_slots: int, rows: int) -> None:
    model = keras.Sequential([keras.Input((None, None, 3)), layers.GlobalAveragePooling2D(), layers.Softmax()])
    rows_found = automatic_batch_size(model, shape)
    assert rows_found == rows
    assert EngineSpec(shape, None, rows_found).n_slots == n_slots
    assert n_slots <= IMAGES_PER_BATCH


def test_an_image_of_a_camera_is_scored_with_little_memory_beside_it() -> None:
    shape = (2000, 3000, 3)
    model = keras.Sequential([keras.Input((None, None, 3)), layers.GlobalAveragePooling2D(), layers.Softmax()])
    rng = np.random.default_rng(0)
    plan = grid_plan(rng.random(shape, np.float32), 4, 4, 20)
    scorer = make_scorer(model, shape)
    tracemalloc.start()
    scores = score(scorer, plan, 0, 1, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Image, baseline and labels, twice: as arrays, and as the copies that are staged.
    assert peak < 2.6 * (2 * plan.pixels.nbytes + plan.segmentation.labels.nbytes // 2)
    for row in (0, 7):
        shown = plan.neighborhood.masks[row][plan.segmentation.labels][..., None]
        means = np.where(shown, plan.pixels, plan.baseline).mean(axis=(0, 1), dtype=np.float64)
        np.testing.assert_allclose(scores.values[row], np.exp(means) / np.exp(means).sum(), atol=1e-5)
    assert engine_for(model, shape).traces <= 1
