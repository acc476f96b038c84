"""What LIME sees, after Garreau & Mardaoui, "What does LIME really see in images?" (ICML 2021), on this explainer.

    python examples/studies/what_does_lime_see.py --out figures
    python examples/studies/what_does_lime_see.py --model MODEL.keras     also integrated gradients on a photograph

For a linear model and for detectors of a shape the weights of endless samples are known in closed form; so is their
limit for a wide kernel. Every figure comes with a check against the theory, within the explainer's own standard errors;
the script fails if one does not hold. Pictures: scikit-learn's digits, upscaled to 28×28, and a photograph.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from keras_lime import Explanation, explain, integrated_gradients

__all__ = ["main", "shape_weights"]

Floats = NDArray[np.floating[Any]]

SAMPLES = 4000
WIDTHS = (0.1, 0.15, 0.25, 0.4, 0.7, 1.5, 4.0)


def digits() -> tuple[Floats, NDArray[np.int64]]:
    """All digits as float32 (n, 28, 28, 1) in 0..1, and their classes."""
    images, labels = load_digits(return_X_y=True)
    small = images.reshape(-1, 8, 8).transpose(1, 2, 0) / 16
    large = resize(small, (28, 28, len(images)), order=1, anti_aliasing=False)
    return large.transpose(2, 0, 1)[..., None].astype(np.float32), labels


def photograph(size: int) -> Floats:
    """The cat of scikit-image, float32 (size, size, 3) in 0..255."""
    cat: Floats = resize(data.chelsea()[:, 75:375], (size, size), anti_aliasing=True) * 255
    return cat.astype(np.float32)


def alpha(p: int, d: int, width: float) -> float:
    """Definition 2: the kernel-weighted share of all masks of d superpixels that show p given ones."""
    return sum(
        math.comb(d - p, s) * math.exp(-((1 - math.sqrt(1 - s / d)) ** 2) / (2 * width**2)) for s in range(d - p + 1)
    ) / float(2**d)


def shape_weights(touched: NDArray[np.bool_], width: float) -> Floats:
    """Weights, for endless samples, of a model that sees whether all touched superpixels are shown; (d,).

    Proposition 7, by solving the normal equations, whose entries are `alpha` of the number of superpixels that must be
    shown.
    """
    d, p = len(touched), int(touched.sum())
    one, two = alpha(1, d, width), alpha(2, d, width)
    gram = np.full((d + 1, d + 1), two)
    gram[0], gram[:, 0] = one, one
    np.fill_diagonal(gram, one)
    gram[0, 0] = alpha(0, d, width)
    right = np.where(touched, alpha(p, d, width), alpha(p + 1, d, width))
    return np.asarray(np.linalg.solve(gram, [alpha(p, d, width), *right])[1:])


def regression(function: Callable[[Floats], Floats], image: Floats, **given: Any) -> Explanation:
    """Explains a function from images (n, h, w, c) to numbers (n,), by least squares as the theory has it."""
    # Independent masks, as in the theory: a balanced design leaves errors so small that LIME's own bias of finite
    # samples, from the first row of ones, stands out beside them.
    settings = {
        "output": "regression",
        "targets": 0,
        "surrogate": LinearRegression(),
        "num_samples": SAMPLES,
        "sampling": "bernoulli",
    } | given
    explanation: Explanation = explain(lambda images: function(images)[:, None], image, **settings)
    return explanation


class Checks:
    """Collects what was checked, prints it, and knows whether all of it held."""

    def __init__(self) -> None:
        self.failed = 0

    def compare(self, what: str, found: Floats, expected: Floats, errors: Floats) -> None:
        """Checks that numbers are as the theory says, within their standard errors and float32 rounding."""
        rounding = 1e-4 * np.abs(expected).max()
        scores = np.abs(found - expected) / np.hypot(errors, rounding)
        # Few of many independent normal numbers are beyond two, and hardly one beyond four and a half.
        held = bool((scores > 2).mean() <= 0.15 and scores.max() < 4.5)
        self.failed += not held
        print(
            f"{'ok  ' if held else 'FAIL'} {what}: {np.mean(scores <= 2):.0%} of {scores.size} numbers within two "
            f"standard errors of the theory, the farthest at {scores.max():.1f}"
        )

    def relation(self, what: str, held: bool) -> None:
        """Checks a plain statement."""
        self.failed += not held
        print(f"{'ok  ' if held else 'FAIL'} {what}")


def linear(image: Floats, checks: Checks, name: str) -> tuple[Explanation, Floats]:
    """Proposition 6: for a linear model each weight is the sum of slope times difference over the superpixel."""
    slopes = np.random.default_rng(0).normal(size=image.shape) / image.size / np.ptp(image)
    explanation = regression(lambda images: (images * slopes).sum(axis=(1, 2, 3)), image, n_segments=40)
    moved = (slopes * (image - _kept(explanation)[1])).sum(axis=-1)
    expected: Floats = np.bincount(explanation.segmentation.labels.ravel(), moved.ravel()).astype(np.float64)
    checks.compare(f"{name}: linear model", explanation.weights(), expected, _errors(explanation))
    return explanation, expected


def detector(image: Floats, labels: NDArray[np.integer[Any]], touched: Sequence[int]) -> Callable[[Floats], Floats]:
    """Sees whether the brightest pixels of some superpixels are all as bright as in the image."""
    grey = image.mean(axis=-1)
    shape = np.zeros(grey.shape, bool)
    for index in touched:
        inside = labels == index
        shape |= inside & (grey >= np.quantile(grey[inside], 0.8))
    threshold = grey[shape].min() * 0.99
    return lambda images: (images.mean(axis=-1)[:, shape] >= threshold).all(axis=1).astype(np.float64)


def shapes(image: Floats, checks: Checks, name: str) -> list[tuple[Explanation, Floats]]:
    """Proposition 7: detectors of a shape in one superpixel and across two."""
    found = []
    probe = regression(
        lambda images: images.mean(axis=(1, 2, 3)), image, segmentation="grid", n_segments=16, baseline=0
    )
    brightness = probe.segmentation.mean_colours(image).mean(axis=1)
    brightest = np.argsort(-brightness)[:2]
    for touched in (brightest[:1], brightest):
        function = detector(image, probe.segmentation.labels, touched.tolist())
        explanation = regression(function, image, segmentation="grid", n_segments=16, baseline=0)
        mask = np.isin(np.arange(explanation.segmentation.n_segments), touched)
        expected = shape_weights(mask, 0.25)
        checks.compare(
            f"{name}: shape in {len(touched)} superpixel(s)", explanation.weights(), expected, _errors(explanation)
        )
        found.append((explanation, expected))
    path = found[1][0].kernel_width_path(WIDTHS)
    theory = np.stack([shape_weights(mask, width) for width in path.widths])
    checks.compare(f"{name}: the same at {len(WIDTHS)} kernel widths", path.coef[:, 0], theory, path.stderr[:, 0])
    return found


def small_cnn(images: Floats, labels: NDArray[np.int64]) -> keras.Model:
    """Learns the digits."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, epochs=4, batch_size=32, verbose=0)
    return model


def wide_kernel(model: Any, image: Floats, checks: Checks, name: str, **given: Any) -> tuple[Explanation, Floats]:
    """Section 4: for a wide kernel the weights tend to 2 (E[f | z_j = 1] − E[f]), estimated from other masks."""
    settings: dict[str, Any] = {
        "targets": "predicted",
        "num_samples": SAMPLES,
        "kernel_width": 1e3,
        "surrogate": LinearRegression(),
    } | given
    explanation = explain(model, image, **settings)
    masks, values = _answers(explain(model, image, **settings, seed=1))
    expected, variances = [], []
    for shown in masks[1:].T:
        # E[f | shown] − E[f] is half of the difference between shown and hidden.
        parts = values[1:][shown], values[1:][~shown]
        expected.append(parts[0].mean() - parts[1].mean())
        variances.append(sum(part.var(ddof=1) / len(part) for part in parts))
    errors = np.sqrt(_errors(explanation) ** 2 + np.array(variances))
    checks.compare(
        f"{name}: wide kernel against 2 (E[f|z_j=1] − E[f])", explanation.weights(), np.array(expected), errors
    )
    return explanation, np.array(expected)


def second_opinion(model: Any, image: Floats, checks: Checks, name: str, **given: Any) -> tuple[Explanation, Floats]:
    """Section 6: LIME against integrated gradients, and against LIME of the linear approximation built from them."""
    explanation = explain(model, image, targets="predicted", num_samples=2000, **given)
    found = integrated_gradients(model, explanation, steps=64)
    attributions, (_, baseline) = found.weights[0], _kept(explanation)
    labels = explanation.segmentation.labels
    moved = (image - baseline).astype(np.float64)
    lengths = np.bincount(labels.ravel(), (moved**2).sum(axis=-1).ravel())
    # A linear function that gives each superpixel what integrated gradients attribute to it.
    slopes = (
        moved * np.divide(attributions, lengths, out=np.zeros_like(attributions), where=lengths > 0)[labels][..., None]
    )
    approximation = regression(lambda images: ((images - baseline) * slopes).sum(axis=(1, 2, 3)), image, **given)
    seen = np.where(lengths > 0, attributions, 0)
    checks.compare(f"{name}: LIME of the linear approximation", approximation.weights(), seen, _errors(approximation))
    gap = abs(found.gap[0])
    checks.relation(f"{name}: integrated gradients are complete to {gap:.4f}", gap < 0.02)
    print(f"     {name}: rank agreement of LIME with integrated gradients {found.agreement[0]:.2f}")
    return explanation, attributions


def draw(pairs: Sequence[tuple[Explanation, Floats]], titles: Sequence[str], path: Path) -> None:
    """A row for each pair: the explanation, the theory on the same scale, one against the other."""
    figure = Figure(figsize=(9.5, 3 * len(pairs)), layout="constrained")
    axes = figure.subplots(len(pairs), 3, squeeze=False)
    for (explanation, expected), title, row in zip(pairs, titles, axes, strict=True):
        scale = float(max(np.abs(explanation.weights()).max(), np.abs(expected).max()))
        for ax, weights, words in ((row[0], explanation.weights(), "LIME"), (row[1], expected, title)):
            shown = ax.imshow(weights[explanation.segmentation.labels], cmap="PiYG", vmin=-scale, vmax=scale)
            ax.contour(explanation.picture.mean(axis=-1), levels=3, colors="black", linewidths=0.3)
            ax.set_title(words, size="medium")
            ax.set_axis_off()
        figure.colorbar(shown, ax=list(row[:2]), shrink=0.8)
        row[2].errorbar(expected, explanation.weights(), 2 * _errors(explanation), fmt=".", capsize=2)
        row[2].axline((0, 0), slope=1, color="black", linewidth=0.8)
        row[2].set_xlabel(title)
        row[2].set_ylabel("LIME, ± 2 standard errors")
    figure.savefig(path, dpi=110)


def draw_widths(explanation: Explanation, path: Path) -> None:
    """The two-superpixel detector over kernel widths: dots with errors on the curves of the theory."""
    found = explanation.kernel_width_path(WIDTHS)
    touched = np.argsort(-explanation.weights())[:2]
    mask = np.isin(np.arange(explanation.segmentation.n_segments), touched)
    grid = np.geomspace(WIDTHS[0], WIDTHS[-1], 60)
    curves = np.stack([shape_weights(mask, float(width)) for width in grid])
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    ax = figure.add_subplot()
    for index, colour, words in ((touched[0], "tab:green", "in the shape"), (np.argmin(mask), "tab:gray", "elsewhere")):
        ax.plot(grid, curves[:, index], color=colour, label=f"theory, {words}")
        weights, errors = found.coef[:, 0, index], found.stderr[:, 0, index]
        ax.errorbar(found.widths, weights, 2 * errors, fmt="o", color=colour, capsize=3, label=f"LIME, {words}")
    ax.set_xscale("log")
    ax.set_xlabel("kernel width")
    ax.set_ylabel("weight")
    ax.legend(frameon=False)
    figure.savefig(path, dpi=110)


def _kept(explanation: Explanation) -> tuple[NDArray[np.bool_], Floats]:
    """Masks and baseline, which `explain()` always keeps."""
    if explanation.neighborhood is None or explanation.baseline is None:
        raise ValueError("`explanation` must have its perturbations. Received: one without.")
    return explanation.neighborhood.masks, explanation.baseline


def _answers(explanation: Explanation) -> tuple[NDArray[np.bool_], Floats]:
    """Masks and the model's answers to them for the first target."""
    if explanation.scores is None:
        raise ValueError("`explanation` must have its scores. Received: one without.")
    return _kept(explanation)[0], explanation.scores.values[:, 0]


def _errors(explanation: Explanation) -> Floats:
    stderr = explanation.fit.stderr
    return np.zeros_like(explanation.fit.coef[0]) if stderr is None else stderr[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws the figures, prints the checks, and exits with 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("what_does_lime_see"), help="folder for the figures")
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    images, labels = digits()
    pictures = {"digit": images[5], "photograph": photograph(120)}
    for name, image in pictures.items():
        draw([linear(image, checks, name)], ["slope × difference, summed"], options.out / f"linear_{name}.png")
        found = shapes(image, checks, name)
        draw(found, ["closed form, 1 superpixel", "closed form, 2 superpixels"], options.out / f"shapes_{name}.png")
        draw_widths(found[1][0], options.out / f"widths_{name}.png")
    model = small_cnn(images[200:], labels[200:])
    given: dict[str, Any] = {"n_segments": 20, "segmentation": "grid", "baseline": 0}
    wide = wide_kernel(model, images[5], checks, "digit", **given)
    draw([wide], ["2 (E[f|z=1] − E[f])"], options.out / "wide_kernel.png")
    pairs = [second_opinion(model, images[index], checks, f"digit {labels[index]}", **given) for index in (5, 7, 12)]
    draw(pairs, ["integrated gradients"] * len(pairs), options.out / "gradients_digits.png")
    if options.model is not None:
        large = keras.models.load_model(options.model)
        pair = second_opinion(large, photograph(large.input_shape[1]), checks, "photograph")
        draw([pair], ["integrated gradients"], options.out / "gradients_photograph.png")
    print(
        f"\nFigures in {options.out}. {'All checks hold.' if not checks.failed else f'{checks.failed} checks failed.'}"
    )
    if checks.failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
