"""Can the overlays be read? Measures drawn pixels of a training's log.

Run `python examples/stop_signs.py`, then `python examples/studies/overlays.py logs`. For each probe at its newest
epoch, as it is and made dark, bright, red and green, and for both palettes, it draws what the page and
`Explanation.overlay` draw (a browser test holds the two to the same bytes) and counts:

- seen: the strongest three superpixels that are beyond doubt, whose colour is moved by a ΔE (CIE 1976) of 10 at least;
- misleading: superpixels with less than a tenth of the strongest weight that look tinted, with a chroma of 10 at least.

It ends with status 1 if more than 5 % of the first are not seen or more than 2 % of the second mislead.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_cie76, rgb2lab

from keras_lime.core.overlay import OPACITY, OUTLINED, PALETTES, Ground, overlay, select_segments
from keras_lime.core.segmentation import Segmentation
from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.records import probe_tag, result_tag

__all__ = ["Counts", "main", "measure"]

Picture = NDArray[np.uint8]

LEAST, NEAR = 10.0, 0.1
"""ΔE and chroma from which on a colour is seen; share of the strongest weight below which a weight says little."""

KINDS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "as it is": lambda pixels: pixels,
    "dark": lambda pixels: pixels * 0.2,
    "bright": lambda pixels: 255 - (255 - pixels) * 0.2,
    "red": lambda pixels: pixels * (0.4, 0.2, 0.2) + (150, 0, 0),
    "green": lambda pixels: pixels * (0.2, 0.4, 0.2) + (0, 150, 0),
}


class Counts(NamedTuple):
    """How many superpixels were looked at, and how many of them fail."""

    strongest: int
    unseen: int
    weak: int
    misleading: int

    @property
    def passed(self) -> bool:
        """At most 5 % unseen and 2 % misleading."""
        return self.unseen <= 0.05 * self.strongest and self.misleading <= 0.02 * self.weak


class Explained(NamedTuple):
    """One probe at its newest epoch, explained for the predicted class."""

    picture: Picture
    segmentation: Segmentation
    weights: NDArray[np.float64]
    faint: NDArray[np.bool_]


def main(arguments: list[str] | None = None) -> int:
    """Prints a row a run, kind of picture and palette; returns 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log_dir", type=Path)
    parser.add_argument("--ground", choices=("grey", "picture"), default="grey")
    options = parser.parse_args(arguments)
    failed = False
    for run in logged_runs(options.log_dir):
        probes = list(explained_probes(run))
        for kind in KINDS:
            for palette in PALETTES:
                counts = measure(probes, kind, palette, options.ground)
                failed |= not counts.passed
                print(
                    f"{run.name:24} {kind:9} {palette:12} unseen {counts.unseen:3} of {counts.strongest:3}, "
                    f"misleading {counts.misleading:3} of {counts.weak}{'' if counts.passed else '  FAILED'}"
                )
    return int(failed)


def explained_probes(run: Any) -> Iterator[Explained]:
    """The probes of a logged run that have a picture and weights for the predicted class."""
    for entry in run.manifest.header["probes"]:
        probe, result = run.newest(probe_tag(entry["id"])), run.newest(result_tag(entry["id"]))
        if probe is None or result is None:
            continue
        record = result[1]
        targets = record.array("targets").tolist()
        row = targets.index(record.header["predicted"]) if record.header["predicted"] in targets else 0
        weights = record.array("coef")[row].astype(np.float64)
        stderr = record.array("stderr")[row].astype(np.float64)
        picture = np.asarray(Image.open(io.BytesIO(probe[1].array("picture").tobytes())).convert("RGB"))
        segmentation = Segmentation(probe[1].array("segments").astype(np.int32))
        yield Explained(picture, segmentation, weights, (np.abs(weights) <= 2 * stderr) & (stderr > 0))


def measure(probes: list[Explained], kind: str, palette: str, ground: Ground = "grey") -> Counts:
    """Draws and counts.

    Args:
        probes: what to draw.
        kind: how the pictures are changed before, a key of `KINDS`.
        palette: a key of `PALETTES`.
        ground: what the weights are drawn over. Defaults to `"grey"`.

    Returns:
        The `Counts` over all probes.
    """
    counts = np.zeros(4, int)
    for probe in probes:
        changed = np.clip(KINDS[kind](probe.picture.astype(np.float64)), 0, 255).astype(np.uint8)
        order = select_segments(probe.weights)
        drawn, bare = (
            rgb2lab(
                overlay(
                    changed,
                    probe.segmentation,
                    probe.weights,
                    chosen,
                    palette=palette,  # type: ignore[arg-type]
                    ground=ground,
                    opacity=OPACITY,
                    outlined=OUTLINED,
                    faint=probe.faint,
                )
            )
            for chosen in (order, order[:0])
        )
        moved = mean_of(probe.segmentation, deltaE_cie76(drawn, bare))
        chroma = mean_of(probe.segmentation, np.hypot(drawn[..., 1], drawn[..., 2]))
        strongest = [index for index in order if not probe.faint[index]][:3]
        weak = np.abs(probe.weights) < NEAR * np.abs(probe.weights).max()
        counts += (len(strongest), (moved[strongest] < LEAST).sum(), weak.sum(), (chroma[weak] >= LEAST).sum())
    return Counts(*counts.tolist())


def mean_of(segmentation: Segmentation, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of a number over the pixels of each superpixel."""
    labels = segmentation.labels.ravel()
    mean: NDArray[np.float64] = np.bincount(labels, pixels.ravel()) / np.bincount(labels)
    return mean


if __name__ == "__main__":
    sys.exit(main())
