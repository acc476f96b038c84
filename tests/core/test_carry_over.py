"""Answers of earlier epochs halve the passes, and neither the weights nor their errors suffer."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor, LinearRegression

from keras_lime import LimeCallback, ProbeSet
from keras_lime.core.carry_over import CarryOver, check_carry_over
from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.scores import Scores
from keras_lime.core.settings import Settings, make_settings
from tests.support.classifiers import classifier
from tests.support.models import MaskScorer, photo, two_classes

GRID: dict[str, Any] = {"segmentation": "grid", "n_segments": 25, "baseline": 0.0, "num_samples": 128, "targets": 1}
IMAGE = np.full((50, 50, 3), 255, np.uint8)

Logits = Callable[[np.ndarray], np.ndarray]


class CellScorer(MaskScorer):
    """Perturbs one pixel of each cell, which is all that the models look at, and knows how many rows it has scored."""

    rows = 0

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        self.rows += sum(len(plan.neighborhood.masks) for plan in plans)
        return super().__call__(plans, wanted)

    def perturb(self, plan: Plan) -> np.ndarray:
        assert np.array_equal(plan.image, IMAGE)
        assert not plan.baseline.any()
        return 255.0 * plan.neighborhood.masks[:, plan.segmentation.labels[5::10, 5::10], None]


def cells(images: np.ndarray) -> np.ndarray:
    """The middle of each of the 25 cells."""
    side = images.shape[1] // 5
    return images[:, side // 2 :: side, side // 2 :: side, 0].reshape(len(images), -1) / 255


def model(growth: float, seed: int = 0) -> Logits:
    """Probabilities from single cells, neighbours and triples; growth makes all of them steeper."""
    rng = np.random.default_rng(seed)
    alone, pairs, triples = rng.normal(size=25) * 0.5, rng.normal(size=24) * 0.8, rng.normal(size=23) * 0.3

    def probabilities(images: np.ndarray) -> np.ndarray:
        x = cells(images) - 0.5
        odds = x @ alone + (x[:, :-1] * x[:, 1:]) @ pairs + (x[:, :-2] * x[:, 1:-1] * x[:, 2:]) @ triples
        return two_classes(1 / (1 + np.exp(-growth * odds)))

    return probabilities


def epochs(models: Sequence[Logits], **given: Any) -> tuple[list[Explanation], list[int], CarryOver]:
    """The explanations of one image, and how many rows each took."""
    settings = make_settings({**GRID, **given})
    plans, carry_over = make_plans([IMAGE], settings), CarryOver(settings)
    explanations: list[Explanation] = []
    rows = []
    for function in models:
        scorer = CellScorer(function)
        explanations += explain_plans(plans, [Subject("image")], scorer, settings, carry_over=carry_over)
        rows.append(scorer.rows)
    return explanations, rows, carry_over


def alone(function: Logits, **given: Any) -> Explanation:
    settings = make_settings({**GRID, **given})
    (explanation,) = explain_plans(make_plans([IMAGE], settings), [Subject("image")], CellScorer(function), settings)
    return explanation


def test_a_model_that_stands_still_is_asked_half_as_often_and_known_better() -> None:
    explanations, rows, carry_over = epochs([model(2.0)] * 6)
    assert rows == [128] + 5 * [64]
    assert [each.num_samples for each in explanations] == rows
    np.testing.assert_array_equal(explanations[0].fit.coef, alone(model(2.0)).fit.coef)
    assert carry_over.sentence == "1 of 1 probe explained from half of the passes and earlier answers."
    # After a turn all 256 masks were scored, and the weights are nearer to those of 256 than the first epoch of 128.
    many, last = alone(model(2.0), num_samples=256), explanations[-1]
    assert last.neighborhood is not None
    assert many.neighborhood is not None
    np.testing.assert_array_equal(last.neighborhood.masks, many.neighborhood.masks)
    near, far = (np.abs(each.fit.coef - many.fit.coef).mean() for each in (last, explanations[0]))
    assert near < 0.65 * far
    np.testing.assert_allclose(last.prediction, model(2.0)(IMAGE[None].astype(float))[0, [1]])


def test_a_model_that_has_become_another_is_scored_in_full() -> None:
    explanations, rows, carry_over = epochs([model(2.0), model(9.0, seed=5)])
    assert rows == [128, 128]
    assert carry_over.sentence is not None
    assert carry_over.sentence.endswith("in full: 1 because the model had moved too far.")
    scores = explanations[1].scores
    assert scores is not None
    assert scores.asked is None
    assert explanations[1].num_samples == 128
    # A plain design of its own: every row is the model's answer.
    for row in (0, 50, 127):
        image = explanations[1].perturbed(row)[None].astype(float)
        np.testing.assert_allclose(scores.values[row], model(9.0, seed=5)(image)[0, [1]], atol=1e-6)


def test_the_weights_are_as_good_as_from_all_passes_and_the_errors_say_so() -> None:
    growths = [1.0, 1.6, 2.1, 2.5, 2.8, 3.0]
    limits = [alone(model(growth), num_samples=8192, sampling="bernoulli", seed=77).fit.coef for growth in growths]
    carried, full, claimed = [], [], []
    for seed in range(12):
        explanations, rows, _ = epochs([model(growth) for growth in growths], seed=seed)
        assert sum(rows[1:]) <= 6 * 64
        for growth, limit, explanation in zip(growths[1:], limits[1:], explanations[1:], strict=True):
            carried.append(explanation.fit.coef - limit)
            full.append(alone(model(growth), seed=seed).fit.coef - limit)
            assert explanation.fit.stderr is not None
            claimed.append(explanation.fit.stderr)
    errors = [float(np.sqrt(np.mean(np.square(each)))) for each in (carried, full, claimed)]
    assert errors[0] < 1.1 * errors[1]
    assert 0.8 < errors[2] / errors[0] < 1.3


def test_a_class_that_is_new_is_estimated_without_a_past() -> None:
    def flipping(sign: float) -> Logits:
        return lambda images: model(2.0)(images)[:, :: int(sign)]

    explanations, rows, _ = epochs([flipping(1), flipping(-1), flipping(1)], targets="predicted")
    assert explanations[0].targets != explanations[1].targets
    assert explanations[0].targets == explanations[2].targets
    assert all(64 <= each <= 128 for each in rows[1:])


def test_outputs_of_a_regression_are_no_probabilities() -> None:
    slopes = np.linspace(-30, 40, 25)

    class Regression(MaskScorer):
        def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
            for scores in super().__call__(plans, wanted):
                yield Scores(scores.targets, scores.values, scores.values, None, float(scores.values[0, 0]))

    settings = make_settings({**GRID, "targets": 0, "surrogate": LinearRegression()})
    plans, carry_over = make_plans([IMAGE], settings), CarryOver(settings)
    for factor in (1.0, -2.0, 5.0):
        outputs = (factor * slopes)[:, None]

        def linear(images: np.ndarray, outputs: np.ndarray = outputs) -> np.ndarray:
            return np.asarray(cells(images) @ outputs + 3)

        scorer = Regression(linear)
        (found,) = explain_plans(plans, [Subject("image")], scorer, settings, carry_over=carry_over)
        np.testing.assert_allclose(found.fit.coef[0], factor * slopes, atol=1e-3 * np.ptp(factor * slopes))
        assert found.num_samples == (128 if factor == 1.0 else 64)


def test_too_few_samples_or_superpixels_are_explained_as_ever() -> None:
    for given in ({"num_samples": 100}, {"n_segments": 9, "num_samples": 600}):
        explanations, rows, carry_over = epochs([model(2.0)] * 2, **given)
        assert rows[0] == rows[1]
        np.testing.assert_array_equal(explanations[0].fit.coef, explanations[1].fit.coef)
        assert carry_over.sentence is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_samples": "auto"}, 'needs a fixed `num_samples`. Received: num_samples="auto"'),
        ({"sampling": "bernoulli"}, "needs balanced masks. Received: sampling='bernoulli'"),
        ({"second_baseline": "grey"}, "needs one baseline alone. Received: second_baseline='grey'"),
        ({"surrogate": HuberRegressor()}, "needs ridge regression or least squares"),
    ],
)
def test_what_cannot_be_carried_over_is_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"`carry_over` {message}.*Leave one of the two out"):
        check_carry_over(Settings(**given))
    probes = ProbeSet(np.stack([photo(32, seed) for seed in range(2)]), [0, 1])
    with pytest.raises(ValueError, match="`carry_over` needs"):
        LimeCallback(probes, tmp_path, carry_over=True, **given)


def test_a_training_logs_how_its_probes_were_scored(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = np.stack([photo(32, seed) for seed in range(4)]).astype(np.float32) / 255
    labels = np.array([0, 1, 2, 0])
    network = classifier((32, 32, 3), kernel_initializer=keras.initializers.RandomNormal(1.0, seed=1))
    network.compile(keras.optimizers.SGD(1e-4), "sparse_categorical_crossentropy")
    callback = LimeCallback(
        ProbeSet(images, labels),
        tmp_path,
        carry_over=True,
        shortcut_threshold=None,
        verbose=0,
        **{**GRID, "targets": "label"},
    )
    network.fit(images, labels, epochs=2, verbose=0, callbacks=[callback])
    first = callback.explain(network, 5)
    assert {each.num_samples for each in first} <= {64, 128}
    with pytest.raises(ValueError, match="must hold the model's own answers"):
        next(each for each in first if each.num_samples == 64).plot_samples()
    saved = first[0].save(tmp_path / "one.npz")
    assert Explanation.load(saved).num_samples == first[0].num_samples
    callback.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("events*"))
    assert b"of 4 probes explained from half of the passes" in written
    assert b"num_samples" in written
