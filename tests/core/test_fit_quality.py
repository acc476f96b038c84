"""R² adjusted for what a fit gains by chance, and how far the penalty shrinks the weights: against the truth."""

from functools import cache

import numpy as np
import pytest

from keras_lime.core.sampling import Sampling, sample_neighborhood
from keras_lime.core.surrogate import Fit, fit_surrogate

DESIGNS: tuple[Sampling, ...] = ("balanced", "bernoulli")


SHARES = (0.0, 0.3, 0.9)


@cache
def fits(sampling: Sampling, d: int, rounds: int = 60) -> list[Fit]:
    """Surrogates, 256 samples each, of scores that are linear to each of the `SHARES`, and else noise."""
    found = []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        neighborhood = sample_neighborhood(d, 256, 0.25, rng, sampling)
        linear = neighborhood.masks @ rng.normal(size=d) * 2 / np.sqrt(d)
        noise = rng.normal(size=256)
        scores = [np.sqrt(share) * linear + np.sqrt(1 - share) * noise for share in SHARES]
        found.append(fit_surrogate(neighborhood, np.stack(scores, axis=1)))
    return found


def adjusted(sampling: Sampling, d: int, share: float) -> np.ndarray:
    return np.array([fit.r2_adjusted[SHARES.index(share)] for fit in fits(sampling, d) if fit.r2_adjusted is not None])


@pytest.mark.parametrize("sampling", DESIGNS)
@pytest.mark.parametrize("d", [50, 60])
def test_noise_is_not_taken_for_a_fit(sampling: Sampling, d: int) -> None:
    of_noise = adjusted(sampling, d, 0.0)
    assert len(of_noise) == 60
    assert np.mean([fit.r2[0] > 0.2 for fit in fits(sampling, d)]) > 0.3
    assert (of_noise < 0.2).mean() >= 0.98
    assert abs(of_noise.mean()) < 0.04


@pytest.mark.parametrize("sampling", DESIGNS)
@pytest.mark.parametrize("r2", [0.3, 0.9])
def test_it_estimates_what_unlimited_samples_would_give(sampling: Sampling, r2: float) -> None:
    assert adjusted(sampling, 50, r2).mean() == pytest.approx(r2, abs=0.04)


def test_enumerated_masks_leave_nothing_to_adjust() -> None:
    neighborhood = sample_neighborhood(6, 256, 0.25, np.random.default_rng(0))
    fit = fit_surrogate(neighborhood, np.random.default_rng(1).random((64, 2)))
    assert fit.r2_adjusted is not None
    np.testing.assert_allclose(fit.r2_adjusted, fit.r2)


@pytest.mark.parametrize(("kernel_width", "num_samples"), [(0.1, 256), (0.1, 1000), (0.15, 256), (0.25, 1000)])
def test_shrinkage_is_what_the_penalty_takes_off_a_linear_function(kernel_width: float, num_samples: int) -> None:
    neighborhood = sample_neighborhood(50, num_samples, kernel_width, np.random.default_rng(0))
    slopes = np.random.default_rng(1).normal(size=50)
    fit = fit_surrogate(neighborhood, (neighborhood.masks @ slopes)[:, None])
    assert fit.shrinkage == pytest.approx(1 - fit.coef[0] @ slopes / (slopes @ slopes), abs=0.02)
