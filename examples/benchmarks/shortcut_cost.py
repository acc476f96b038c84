"""What the shortcut tests cost beside LIME: passes a probe, and CPU seconds beside an epoch of training.

Run `python examples/benchmarks/shortcut_cost.py`; it takes two minutes. `--quick` trains on fewer images. CPU seconds
of all threads are counted, since a busy machine does not change them.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from keras_lime.scoring import make_scorer
from keras_lime.shortcut.monitor import ShortcutMonitor

__all__ = ["Cost", "main", "measure"]

_SIDE, _CLASSES, _REPEATS = 64, 3, 5

Cost = dict[str, float]


class _Counting:
    """A scorer that counts its passes."""

    def __init__(self, scorer: Any) -> None:
        self._scorer, self.passes = scorer, 0
        self.n_outputs = scorer.n_outputs

    def score_images(self, images: Iterable[Any]) -> NDArray[np.float64]:
        """See `ImageScorer`."""
        listed = list(images)
        self.passes += len(listed)
        scores: NDArray[np.float64] = self._scorer.score_images(listed)
        return scores


def _images(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """Discs whose brightness is their class, before grain."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(0, 90, (n, _SIDE, _SIDE, 3)).astype(np.float32)
    labels = np.arange(n) % _CLASSES
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    masks = np.broadcast_to(np.hypot(rows - 32, columns - 32) < 12, (n, _SIDE, _SIDE)).copy()
    for image, label, mask in zip(images, labels, masks, strict=True):
        image[mask] = 100 + 70 * label
    return images, labels, masks


def _model() -> keras.Model:
    model = keras.Sequential([keras.Input((_SIDE, _SIDE, 3)), layers.Rescaling(1 / 127.5, offset=-1)])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(_CLASSES, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def measure(n_images: int = 2000, n_probes: int = 30) -> dict[str, Cost]:
    """Costs with masks and with estimated outlines.

    Args:
        n_images: of an epoch.
        n_probes: tested images.

    Returns:
        By material: `passes` a probe and epoch, `seconds` of CPU time a test, `epoch` seconds of an epoch, `share`.
    """
    images, labels, _ = _images(n_images, 0)
    model = _model()
    model.fit(images, labels, batch_size=32, epochs=1, verbose=0)
    epoch = _seconds(lambda: model.fit(images, labels, batch_size=32, epochs=1, verbose=0), 3)
    pixels, true, masks = _images(n_probes, 1)
    found = {}
    for material, given in (("masks", masks), ("estimated outlines", None)):
        monitor = ShortcutMonitor(pixels, true, given, outlines=None if given is not None else "estimate")
        scorer = _Counting(make_scorer(model, (_SIDE, _SIDE, 3), "softmax", None, None))
        scores = scorer.score_images(pixels)
        classes, values = scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist()
        # Once before the clock runs: the plans are made, and the model is compiled for this batch.
        monitor.test(0, scorer, classes, values)
        scorer.passes = 0
        monitor.test(1, scorer, classes, values)
        passes = scorer.passes / n_probes
        seconds = _seconds(lambda: monitor.test(2, scorer, classes, values), _REPEATS)  # noqa: B023
        found[material] = {"passes": passes, "seconds": seconds, "epoch": epoch, "share": seconds / epoch}
    return found


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """CPU seconds of all threads, the median of some repeats."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return float(np.median(taken))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="an epoch of 200 images")
    options = parser.parse_args(arguments)
    print("| 30 probes | passes a probe | CPU s a test | CPU s an epoch | share |\n|---|---|---|---|---|")
    for material, cost in measure(200 if options.quick else 2000).items():
        print(
            f"| {material} | {cost['passes']:.1f} | {cost['seconds']:.3f} | {cost['epoch']:.2f} | "
            f"{100 * cost['share']:.1f} % |"
        )


if __name__ == "__main__":
    main()
