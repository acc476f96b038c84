"""Does an explanation point at a confounder that the network leans on? The protocol by which LIME came last, repeated.

    python examples/studies/confounder_protocol.py

It takes some minutes on two CPU cores and prints a table; `--quick` takes one seed and few images, to see that it runs.

Sun, Koch and Baumgartner (2023) planted a tag, hyperintensities (two bright stripes) or an obstruction (a black wedge)
in 0 to 100 % of the X-rays with an enlarged heart, trained a network on each and measured on images of a test set whose
prediction changes with the confounder:

- sensitivity: the share of the confounder's pixels among the tenth of all pixels with the highest attribution;
- explanation NCC: the correlation of the explanations of an image with the confounder and without it. It should be low
  where the network leans on the confounder.

LIME came last. Their published code shows why: it takes 100 samples, hides with black, which is the colour of tag and
obstruction, keeps a mask of five superpixels in place of the weights, and its conversion to grey hands the network one
row of averages instead of an image. Here the same is measured in a drawn world with small networks, so that minutes do;
place, colour and proportions of the confounders are theirs, but for the tag's letters, which are larger, to be letters
at 64 pixels.

An explanation can only show what a network uses: `leans` is the share of all test images with the sign whose prediction
changes with the confounder. Where they are fewer than are explained, others fill up. Settings were chosen on seed 0,
which is not among those reported.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from functools import partial
from io import StringIO
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from keras_lime import LimeWarning, explain

__all__ = ["CONFOUNDERS", "EXPLAINERS", "correlation", "draw_chests", "main", "measured", "plant", "sensitivity"]

Floats = NDArray[np.floating[Any]]
Explainer = Callable[[keras.Model, Floats], Floats]
"""From a network and images (n, h, w, 1) to attributions (n, h, w) for the sign."""

SIZE = 64
TOP = 0.1
"""Share of the pixels that count as highlighted."""

_TAG = ("### # # ##      # ", "#   # # # #    ## ", "#    #  ##  ##  # ", "#   # # # #     # ", "### # # # #    ###")


def _confounders() -> dict[str, tuple[NDArray[np.bool_], float]]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    tag = np.zeros((SIZE, SIZE), bool)
    tag[55:60, 4:22] = [[letter == "#" for letter in line] for line in _TAG]
    stripes = (columns == SIZE // 16) | (columns == SIZE - 1 - SIZE // 16)
    wedge = SIZE - rows - 0.5 < SIZE / 32 + (columns + 0.5) * 3 / 32
    return {"tag": (tag, 0.0), "hyperintensities": (stripes, 1.0), "obstruction": (wedge, 0.0)}


CONFOUNDERS = _confounders()
"""Name → the confounder's pixels (h, w) and its grey, 0..1."""


def draw_chests(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draws X-ray-like images; every other one has the sign, an enlarged heart, and some are hard to tell.

    Returns:
        float32 images (count, 64, 64, 1) in 0..1 and labels (count,), 1 for the sign.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 2
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    images = np.empty((count, SIZE, SIZE, 1), np.float32)
    for image, label in zip(images, labels, strict=True):
        y, x = rows - rng.normal(0.5, 0.025), columns - rng.normal(0.5, 0.025)
        chest = rng.uniform(0.55, 0.7) - 0.5 * (np.abs(x) > rng.uniform(0.4, 0.47))
        for side in (-1, 1):
            lung = (((x - 0.19 * side) / rng.uniform(0.13, 0.16)) ** 2 + (y / rng.uniform(0.3, 0.36)) ** 2) < 1
            chest = np.where(lung, rng.uniform(0.2, 0.32), chest)
        ribs = np.sin((y + 0.8 * x**2) * rng.uniform(55, 65) + rng.uniform(0, 6))
        chest = chest + rng.uniform(0.05, 0.1) * (ribs > 0.2) * (np.abs(x) < 0.36)
        width = rng.uniform(0.15, 0.2) if label else rng.uniform(0.105, 0.155)
        heart = ((x - 0.05) / width) ** 2 + ((y - 0.13) / (0.13 + 0.2 * (width - 0.1))) ** 2 < 1
        chest = np.where(heart, rng.uniform(0.5, 0.62), chest)
        image[..., 0] = np.clip(chest + 0.04 * rng.standard_normal(chest.shape), 0, 1)
    return images, labels


def plant(images: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """The images with a confounder."""
    mask, grey = CONFOUNDERS[name]
    return np.where(mask[..., None], np.float32(grey), images)


def trained(images: NDArray[np.float32], labels: NDArray[np.int64], seed: int, epochs: int) -> keras.Model:
    """A small convolutional network."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((SIZE, SIZE, 1)), layers.Rescaling(2, offset=-1)])
    for filters in (8, 16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", strides=2 if filters == 8 else 1, use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(2, activation="softmax"))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=32, epochs=epochs, verbose=0)
    return model


def sensitivity(attribution: Floats, mask: NDArray[np.bool_]) -> float:
    """Share of the mask's pixels among the tenth with the highest attribution; of equal ones an even share counts."""
    values = attribution.ravel()
    count = int(TOP * values.size)
    limit = np.sort(values)[-count]
    above, equal = values > limit, values == limit
    chosen = above + equal * (count - above.sum()) / equal.sum()
    return float(chosen[mask.ravel()].mean())


def correlation(one: Floats, other: Floats) -> float:
    """Normalised cross-correlation of two attributions; NaN where one of them is the same everywhere."""
    a, b = one.ravel() - one.mean(), other.ravel() - other.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale else float("nan")


def ours(model: keras.Model, images: Floats, **settings: Any) -> Floats:
    """This package."""
    with warnings.catch_warnings():  # on the defaults: it advises scale="logit" itself
        warnings.simplefilter("ignore", LimeWarning)
        found = explain(model, list(images), targets=1, num_samples=256, **settings)
    return np.stack([each.heatmap() for each in found])


def theirs(model: keras.Model, images: Floats, *, faithful: bool) -> Floats:
    """The `lime` package with 100 samples: as criticised (they kept negative superpixels too for the NCC) or whole."""
    from lime.lime_image import LimeImageExplainer

    def answers(batch: Sequence[Floats]) -> Floats:
        given = np.asarray(batch, np.float32)
        if faithful:
            averages = given.reshape(-1, 3, SIZE, SIZE).mean(axis=(1, 2))
            whole = np.repeat(averages[:, None], SIZE, axis=1)[..., None]
        else:
            whole = given[..., :1]
        return np.asarray(keras.ops.convert_to_numpy(model(whole, training=False)))

    found = np.zeros(images.shape[:3])
    for weights, image in zip(found, images, strict=True):
        with redirect_stderr(StringIO()):  # where it draws a progress bar for each image
            explanation = LimeImageExplainer(random_state=0).explain_instance(
                image[..., 0].astype(np.float64),
                answers,
                labels=(1,),
                top_labels=None,
                hide_color=0,
                num_samples=100,
                batch_size=100,
            )
        if faithful:
            weights[:] = explanation.get_image_and_mask(1, positive_only=True, num_features=5, hide_rest=True)[1]
            continue
        for segment, weight in explanation.local_exp[1]:
            weights[explanation.segments == segment] = weight
    return found


EXPLAINERS: dict[str, Explainer] = {
    "lime, as criticised": partial(theirs, faithful=True),
    "lime, whole images": partial(theirs, faithful=False),
    "keras_lime": ours,
    "keras_lime, fine, grey": partial(ours, baseline="grey", n_segments=100, scale="logit"),
}


def measured(model: keras.Model, positives: NDArray[np.float32], name: str, count: int) -> tuple[Floats, Floats]:
    """What the network does with a confounder, and what explanations show of it.

    Args:
        model: the network.
        positives: images with the sign and without a confounder.
        name: of the confounder.
        count: number of images that are explained.

    Returns:
        Shares (3,) of `positives` that are recognised with the confounder, are without, and change; and sensitivity and
        NCC of each of `EXPLAINERS`, (explainers, 2); an NCC is NaN where no image has one.
    """
    planted = plant(positives, name)
    with_it, without = (model.predict(images, verbose=0).argmax(axis=1) for images in (planted, positives))
    changed = with_it != without
    chosen = np.argsort(~changed, kind="stable")[:count]
    found = []
    for explainer in EXPLAINERS.values():
        shown, clean = explainer(model, planted[chosen]), explainer(model, positives[chosen])
        hits = [sensitivity(each, CONFOUNDERS[name][0]) for each in shown]
        found.append([_mean(hits), _mean([correlation(*pair) for pair in zip(shown, clean, strict=True)])])
    return np.array([with_it.mean(), without.mean(), changed.mean()]), np.array(found)


def _mean(values: ArrayLike) -> float:
    """The mean without NaN; NaN where nothing else is there."""
    found = np.asarray(values, np.float64)
    known = found[~np.isnan(found)]
    return float(known.mean()) if known.size else float("nan")


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and explains all networks and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--shares", type=float, nargs="+", default=[0.0, 0.5, 1.0], help="of positives with a confounder"
    )
    parser.add_argument("--images", type=int, default=10, help="explained for each network and confounder")
    parser.add_argument("--quick", action="store_true", help="one seed, few images: see that it runs")
    options = parser.parse_args(arguments)
    seeds, n_images, epochs = options.seeds, 500, 8
    if options.quick:
        seeds, n_images, epochs, options.images = seeds[:1], 60, 1, 1
    use: dict[tuple[str, float], list[Floats]] = {}
    shown: dict[tuple[str, float], list[Floats]] = {}
    for seed in seeds:
        images, labels = draw_chests(n_images, 2 * seed)
        positives = draw_chests(120, 2 * seed + 1)[0][1::2]
        chance = np.random.default_rng(seed).random(n_images)
        for name in CONFOUNDERS:
            for share in options.shares:
                contaminated = ((labels == 1) & (chance < share))[:, None, None, None]
                model = trained(np.where(contaminated, plant(images, name), images), labels, seed, epochs)
                shares, values = measured(model, positives, name, options.images)
                use.setdefault((name, share), []).append(shares)
                shown.setdefault((name, share), []).append(values)
    print(f"\nSeeds {', '.join(map(str, seeds))}; sensitivity / explanation NCC, means over images and seeds\n")
    print(f"| confounder, planted in | recognised with / without | leans | {' | '.join(EXPLAINERS)} |")
    print("|---" * (3 + len(EXPLAINERS)) + "|")
    for (name, share), rows in shown.items():
        with_it, without, changed = np.mean(use[name, share], axis=0)
        cells = [f"{_mean(hits):.2f} / {_mean(same):.2f}" for hits, same in np.stack(rows, axis=2)]
        print(f"| {name}, {share:.0%} | {with_it:.2f} / {without:.2f} | {changed:.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
