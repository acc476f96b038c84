"""The surrogate agrees with the `lime` package and with the closed forms of the theory."""

import math

import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer
from sklearn.linear_model import HuberRegressor, LinearRegression, Ridge

from keras_lime.core.neighborhood import Neighborhood, kernel_weights
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.sampling import SAMPLINGS, Sampling, sample_neighborhood
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.settings import make_settings
from keras_lime.core.surrogate import fit_surrogate
from tests.support.closed_forms import detector_limit
from tests.support.models import MaskScorer, photo

LEAST_SQUARES = LinearRegression()


def _three_classes(images: np.ndarray) -> np.ndarray:
    # Cells of half a superpixel's side: a superpixel's own mean would be the same when it is hidden.
    means = images.reshape(len(images), 16, 4, 16, 4, -1).mean(axis=(2, 4)) / 255
    logits = np.stack(
        [60 * means[:, 4, 7, 0], 50 * means[:, 6, 9, 1] * means[:, 4, 6, 2], means.max(axis=(1, 2, 3))], 1
    )
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_lime_on_its_own_masks_and_scores(seed: int) -> None:
    image = photo(64, seed).astype(float)
    labels = np.arange(64 * 64).reshape(64, 64) // 64 // 8 * 8 + np.arange(64) // 8
    seen: list[np.ndarray] = []

    class Recording(LimeImageExplainer):
        def data_labels(self, *args: object, **kwargs: object) -> tuple[np.ndarray, np.ndarray]:
            data, answers = super().data_labels(*args, **kwargs)
            seen[:] = [data, answers]
            return data, answers

    lime = Recording(random_state=seed).explain_instance(
        image,
        _three_classes,
        labels=(0, 1, 2),
        top_labels=None,
        num_samples=300,
        segmentation_fn=lambda _: labels,
    )
    masks, answers = seen[0].astype(bool), seen[1]
    fit = fit_surrogate(Neighborhood(masks, kernel_weights(masks, 0.25)), answers)
    for target in range(3):
        coef = np.zeros(64)
        for segment, weight in lime.local_exp[target]:
            coef[segment] = weight
        np.testing.assert_allclose(fit.coef[target], coef, atol=1e-6)
        np.testing.assert_allclose(fit.intercept[target], lime.intercept[target], atol=1e-6)
    assert lime.score == pytest.approx(fit.r2[2], abs=1e-6)
    assert lime.local_pred[0] == pytest.approx(fit.local_prediction[2], abs=1e-6)


def test_linear_model_gives_the_closed_form() -> None:
    """Garreau & Mardaoui 2021, proposition 6: beta_j = sum over the superpixel of lambda_u (xi_u − baseline_u)."""
    image = photo(32)
    slopes = np.random.default_rng(0).normal(size=image.shape) / image.size
    settings = make_settings({"num_samples": 256, "surrogate": LEAST_SQUARES, "targets": 0})
    plans = make_plans([image], settings)
    scorer = MaskScorer(lambda images: (images * slopes).sum(axis=(1, 2, 3))[:, None])
    explanation = next(explain_plans(plans, [Subject("image")], scorer, settings))
    differences = slopes * (image - plans[0].baseline.astype(float))
    labels = explanation.segmentation.labels
    expected = [differences[labels == j].sum() for j in range(explanation.segmentation.n_segments)]
    np.testing.assert_allclose(explanation.weights(), expected, atol=1e-6)
    assert explanation.fit.r2[0] == pytest.approx(1.0, abs=1e-9)


def _all_shown(masks: np.ndarray) -> np.ndarray:
    return np.asarray(masks.all(axis=1, keepdims=True), dtype=float)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("width", [0.25, 1.0])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_shape_detector_tends_to_the_closed_form(p: int, width: float, sampling: Sampling) -> None:
    d, runs = 20, 40
    limit = detector_limit(p, d, width)
    coefs = []
    for seed in range(runs):
        # The row of ones is no draw: with so small errors, what it alone adds can be seen.
        drawn = sample_neighborhood(d, 2000, width, np.random.default_rng(seed), sampling).rows(1, 2000)
        coefs.append(fit_surrogate(drawn, _all_shown(drawn.masks[:, :p]), LEAST_SQUARES).coef[0])
    error = np.std(coefs, axis=0, ddof=1) / math.sqrt(runs)
    assert (np.abs(np.mean(coefs, axis=0) - limit) <= 4.5 * error + 1e-9).all()
    assert limit[:p].min() > 5 * np.abs(limit[p:]).max()


def test_enumerated_masks_give_the_limit_itself() -> None:
    drawn = sample_neighborhood(8, 256, 0.25, np.random.default_rng(0))
    fit = fit_surrogate(drawn, _all_shown(drawn.masks[:, :2]), LEAST_SQUARES)
    np.testing.assert_allclose(fit.coef[0], detector_limit(2, 8, 0.25), atol=1e-9)


def test_enumerating_does_not_change_what_alpha_means() -> None:
    few = sample_neighborhood(3, 1000, 0.25, np.random.default_rng(0))
    fit = fit_surrogate(few, few.masks[:, :1].astype(float))
    assert fit.coef[0, 0] > 0.98


def test_all_targets_together_are_each_alone() -> None:
    drawn = sample_neighborhood(30, 200, 0.25, np.random.default_rng(0))
    scores = np.random.default_rng(1).random((200, 4))
    together = fit_surrogate(drawn, scores)
    for target in range(4):
        alone = fit_surrogate(drawn, scores[:, [target]])
        np.testing.assert_allclose(alone.coef[0], together.coef[target], atol=1e-12)
        assert alone.r2[0] == pytest.approx(together.r2[target])
    given = fit_surrogate(drawn, scores, Ridge(alpha=1.0))
    np.testing.assert_allclose(given.coef, together.coef, atol=1e-9)
    np.testing.assert_allclose(given.r2, together.r2, atol=1e-9)


def test_a_regressor_for_one_target_at_a_time() -> None:
    drawn = sample_neighborhood(10, 200, 0.25, np.random.default_rng(0))
    truth = np.arange(20.0).reshape(2, 10)
    surrogate = HuberRegressor(alpha=0.0)
    fit = fit_surrogate(drawn, drawn.masks @ truth.T, surrogate)
    np.testing.assert_allclose(fit.coef, truth, atol=1e-2)
    assert not hasattr(surrogate, "coef_")


def test_scores_without_variance_have_no_r2() -> None:
    drawn = sample_neighborhood(10, 50, 0.25, np.random.default_rng(0))
    scores = np.stack([np.full(50, 0.3), drawn.masks[:, 0]], axis=1)
    fit = fit_surrogate(drawn, scores)
    assert np.isnan(fit.r2[0])
    assert fit.r2[1] > 0.9
    assert not fit.coef[0].any()


def test_the_first_row_is_the_local_prediction() -> None:
    drawn = sample_neighborhood(12, 300, 0.25, np.random.default_rng(0))
    fit = fit_surrogate(drawn, np.random.default_rng(1).random((300, 2)))
    np.testing.assert_allclose(fit.local_prediction, fit.intercept + fit.coef.sum(axis=1), atol=1e-12)


def test_segmentation_of_lime_users_is_hidden_whole() -> None:
    """Labels from 1 on: the `lime` package never hides the last superpixel and weighs an empty one."""
    labels = Segmentation.from_labels(np.arange(64).reshape(8, 8) // 4 + 1)
    assert labels.labels.min() == 0
    assert labels.n_segments == 16
