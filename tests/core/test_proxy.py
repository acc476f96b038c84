"""A proxy makes weights surer with the same passes; the limit, the perturbations and R² stay."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor, LinearRegression

from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import make_settings
from tests.support.models import MaskScorer, two_classes

GRID: dict[str, Any] = {"segmentation": "grid", "n_segments": 25, "baseline": 0.0, "num_samples": 128, "targets": 1}
# Without a penalty, so that the limit does not depend on the number of samples.
LEAST_SQUARES: dict[str, Any] = {"surrogate": LinearRegression()}
IMAGE = np.full((50, 50, 3), 255, np.uint8)


def cells(images: np.ndarray) -> np.ndarray:
    return images[:, 5::10, 5::10, 0].reshape(len(images), -1) / 255 - 0.5


def neighbours_act_together(images: np.ndarray) -> np.ndarray:
    """Probabilities from single cells and neighbours, of which the logistic function makes more."""
    rng, x = np.random.default_rng(0), cells(images)
    odds = x @ (rng.normal(size=25) * 0.7) + (x[:, :-1] * x[:, 1:]) @ rng.normal(size=24)
    return two_classes(1 / (1 + np.exp(-1.5 - 2 * odds)))


def far_triples(images: np.ndarray) -> np.ndarray:
    """What the proxy knows nothing of."""
    rng, x = np.random.default_rng(1), cells(images)
    triples = (x[:, :8] * x[:, 8:16] * x[:, 16:24]) @ rng.normal(size=8)
    return two_classes(0.5 + 0.01 * x @ rng.normal(size=25) + 0.2 * triples)


def explained(function: Any, seed: int = 0, **given: Any) -> Explanation:
    settings = make_settings({**GRID, "seed": seed, **given})
    (found,) = explain_plans(make_plans([IMAGE], settings), [Subject("image")], MaskScorer(function), settings)
    return found


def errors(function: Any, proxy: str, limit: np.ndarray, **given: Any) -> tuple[float, float, float]:
    """Real and claimed error, root mean squares, and the share of weights within 1.96 standard errors."""
    fits = [explained(function, 1 + seed, proxy=proxy, **LEAST_SQUARES, **given).fit for seed in range(16)]
    off = np.array([fit.coef[0] - limit for fit in fits])
    claimed = np.array([fit.stderr[0] for fit in fits if fit.stderr is not None])
    inside = np.mean(np.abs(off) <= 1.96 * claimed)
    return float(np.sqrt(np.mean(off**2))), float(np.sqrt(np.mean(claimed**2))), float(inside)


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_weights_are_surer_and_their_errors_honest(scale: str) -> None:
    given = {"scale": scale, "num_samples": 256}
    limit = explained(neighbours_act_together, 99, **{**LEAST_SQUARES, **given, "num_samples": 8192}).fit.coef[0]
    plain, _, _ = errors(neighbours_act_together, "none", limit, **given)
    real, claimed, inside = errors(neighbours_act_together, "pairs", limit, **given)
    assert real < 0.8 * plain
    assert 0.8 < claimed / real < 1.3
    assert inside > 0.9


def test_a_proxy_that_is_wrong_does_not_move_the_limit_and_does_not_hurt() -> None:
    limit = explained(far_triples, 99, **{**LEAST_SQUARES, "num_samples": 8192}).fit.coef[0]
    plain, _, _ = errors(far_triples, "none", limit)
    real, claimed, _ = errors(far_triples, "pairs", limit)
    assert real < 1.05 * plain
    assert 0.8 < claimed / real < 1.3
    many, _, _ = errors(far_triples, "pairs", limit, num_samples=1024)
    assert many < 0.6 * real


def test_perturbations_scores_and_r2_stay() -> None:
    plain, better = (explained(neighbours_act_together, proxy=proxy) for proxy in ("none", "pairs"))
    assert plain.neighborhood is not None
    assert better.neighborhood is not None
    assert plain.scores is not None
    assert better.scores is not None
    np.testing.assert_array_equal(plain.neighborhood.masks, better.neighborhood.masks)
    np.testing.assert_array_equal(plain.scores.values, better.scores.values)
    np.testing.assert_array_equal(plain.r2, better.r2)
    assert better.num_samples == 128
    assert better.fit.alpha == 1
    assert np.abs(plain.fit.coef - better.fit.coef).max() > 0


def test_few_samples_few_superpixels_and_still_scores_are_explained_as_without() -> None:
    for function, given in (
        (neighbours_act_together, {"num_samples": 63}),
        (neighbours_act_together, {"n_segments": 9, "num_samples": 200}),
        (lambda images: two_classes(np.full(len(images), 0.3)), {}),
    ):
        plain, better = (explained(function, proxy=proxy, **given) for proxy in ("none", "pairs"))
        np.testing.assert_array_equal(plain.fit.coef, better.fit.coef)
        np.testing.assert_array_equal(plain.fit.stderr, better.fit.stderr)


def test_auto_stops_sooner(tmp_path: Path) -> None:
    given: dict[str, Any] = {"num_samples": "auto", "tolerance": 0.05, **LEAST_SQUARES}
    plain, better = (explained(neighbours_act_together, proxy=proxy, **given) for proxy in ("none", "pairs"))
    assert plain.num_samples is not None
    assert better.num_samples is not None
    assert better.num_samples < plain.num_samples
    kept = Explanation.load(better.save(tmp_path / "kept"))
    np.testing.assert_array_equal(kept.fit.coef, better.fit.coef)
    assert kept.settings["proxy"] == "pairs"


@pytest.mark.parametrize("given", [{"sampling": "bernoulli"}, {"surrogate": HuberRegressor()}])
def test_what_it_needs_is_said(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`proxy` needs balanced masks, and ridge regression.*Leave `proxy` out"):
        make_settings({"proxy": "pairs", **given})
    with pytest.raises(ValueError, match="`proxy` must be one of none, pairs. Received: proxy=True"):
        make_settings({"proxy": True})
