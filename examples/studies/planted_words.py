"""Does a data set's own vocabulary betray a shortcut, without masks? Networks with planted ones, audited.

Run `python examples/studies/planted_words.py`; it takes an hour on two CPU cores and prints a table. `--quick` audits
two networks that have hardly learned anything, to see that it runs. With `--keep FOLDER` networks and audits stay
there and are used again. Works under every Keras backend.

Nine networks learn traffic signs before scenes that go with the class never more than by chance (correlation 0.2), in
95 of 100 pictures, or always. Each is audited on 400 new pictures of its own world, without masks, and for every class
the visual word that leads the list is looked at: the exact masks, of which the audit knew nothing, tell whether its
evidence lies on the sign or on the scene. The three clean networks are audited once more in a world where scene and
class are one: there everything seems to say shortcut, but the network. Told are the classes that look suspicious, and
those of them that pasting proves.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from traffic_signs import CLASSES, TrafficSigns, draw_signs

import keras_lime
from keras_lime.auditing.storage.row_batches import explained, row_batches, rows_at
from keras_lime.auditing.visual_words.proof import Prover, prove_words
from keras_lime.auditing.visual_words.vocabulary import FEATURES, ROW_PART, Vocabulary, features
from keras_lime.auditing.visual_words.words import find_words
from keras_lime.core.display import Display
from keras_lime.scoring import make_scorer

__all__ = ["Leader", "audited", "leaders", "main"]

CORRELATIONS = (0.2, 0.95, 1.0)
SIGN_SIZE = (0.3, 0.48)
SEEDS = (404, 505, 606)
"""Others than those on which the audit's rules were set."""


def build_model() -> keras.Model:
    """Three convolutions for 64×64 pictures, 0..255; its normalisation keeps up with epochs of few batches."""
    model = keras.Sequential([keras.Input((64, 64, 3)), layers.Rescaling(1 / 127.5, offset=-1)])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(len(CLASSES), activation="softmax"))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@dataclass(frozen=True)
class Leader:
    """The first visual word of a class.

    Attributes:
        name: name of the class.
        description: of the word.
        off_sign: share of its positive evidence off the sign, by the masks.
        suspected: whether any word of the class looks suspicious.
        accused: whether pasting proves one of them.
        share: of the class's evidence.
        images: number of pictures that were predicted as the class.
    """

    name: str
    description: str
    off_sign: float
    suspected: bool
    accused: bool
    share: float
    images: int

    @property
    def scene(self) -> bool:
        """Whether the word is of the scene: more than half of its evidence is."""
        return self.off_sign > 0.5


def trained(correlation: float, seed: int, folder: Path, *, n_images: int, epochs: int) -> keras.Model:
    """The network of this correlation and seed, from the folder if it is there."""
    file = folder / "model.keras"
    if file.exists():
        return keras.models.load_model(file)
    world = draw_signs(n_images, correlation, seed=seed, sign_size=SIGN_SIZE)
    keras.utils.set_random_seed(seed)
    model = build_model()
    model.fit(world.images, world.labels, epochs=epochs, verbose=0)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(file)
    return model


def audited(model: keras.Model, shown: TrafficSigns, folder: Path, baseline: Any) -> Path:
    """Audits a network on pictures, without masks; goes on where an earlier audit in the folder stopped."""
    keras_lime.audit(
        model,
        (shown.images, shown.labels),
        folder,
        class_names=CLASSES,
        targets="predicted",
        baseline=baseline,
        report=False,
        verbose=0,
    )
    return folder


def leaders(folder: Path, masks: NDArray[np.bool_], prove: Prover | None = None) -> list[Leader]:
    """The first word of every class of an audit, and whether it is of the scene.

    Args:
        folder: the audit's folder.
        masks: bool array (n, h, w): the signs, by position in the audited set.
        prove: tests suspicious words by pasting, as the audit did; None: they are not tested.

    Returns:
        One `Leader` per predicted class.
    """
    found = find_words(folder, prove=prove)
    if found.vocabulary is None:
        return []
    off_sign = _off_sign(folder, masks, found.vocabulary)
    return [
        Leader(
            rows[0]["class_name"],
            rows[0]["description"],
            off_sign[number][rows[0]["word"]],
            any(row["proof"] is not None for row in rows),
            any(row["proof"] == "proved" for row in rows),
            rows[0]["share"],
            rows[0]["class_images"],
        )
        for number, rows in found.by_class.items()
    ]


def prover(model: keras.Model, folder: Path) -> Prover:
    """Proves words with a network."""
    scorer = make_scorer(model, (64, 64, 3))
    return partial(prove_words, folder, display=Display(0, 255), image_shape=(64, 64, 3), scorer=scorer)


def _off_sign(folder: Path, masks: NDArray[np.bool_], vocabulary: Vocabulary) -> NDArray[np.float64]:
    """Share of the positive evidence that is off the sign, (classes, words); NaN where there is none."""
    sums = np.zeros((2, len(CLASSES), len(vocabulary)))
    for batch in row_batches(folder, ROW_PART, (*FEATURES, "weights")):
        rows = batch.take(explained(batch))
        positions = rows.columns["position"].astype(int)
        drawn = {row["position"]: row["segments"] for row in rows_at(folder, "pictures", set(positions), ["segments"])}
        outside = np.concatenate([1 - _inside(drawn[position], masks[position]) for position in positions.tolist()])
        weight = np.maximum(rows.segments["weights"], 0)
        cells = (rows.columns["target"].astype(int)[rows.row], vocabulary.words(features(rows)))
        np.add.at(sums[0], cells, weight * outside)
        np.add.at(sums[1], cells, weight)
    off, total = sums
    return np.asarray(np.divide(off, total, out=np.full(total.shape, np.nan), where=total > 0))


def _inside(segments: bytes, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of each superpixel inside a mask."""
    labels = np.asarray(Image.open(BytesIO(segments))).astype(np.int64).ravel()
    return np.asarray(np.bincount(labels, weights=mask.ravel()) / np.bincount(labels), np.float64)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and audits all networks and prints what leads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keep", type=Path, help="folder for networks and audits (default: a temporary one)")
    parser.add_argument("--baseline", default="others", help="others (default), grey, mean, blur or noise")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--coinciding", action="store_true", help="only pictures in which class and scene are one")
    parser.add_argument("--quick", action="store_true", help="two networks, few pictures: see that it runs")
    options = parser.parse_args(arguments)
    plan = [(seed, correlation, correlation) for seed in options.seeds for correlation in CORRELATIONS]
    plan += [(seed, 0.2, 1.0) for seed in options.seeds]
    if options.coinciding:
        plan = [each for each in plan if each[2] == 1]
    training, n_pictures = {"n_images": 2000, "epochs": 8}, 400
    if options.quick:
        plan, training, n_pictures = [plan[0], plan[2]], {"n_images": 200, "epochs": 1}, 70
    totals: dict[tuple[float, float], list[Leader]] = {}
    with TemporaryDirectory() as temporary:
        home = options.keep or Path(temporary)
        for seed, correlation, world in plan:
            place = home / f"{correlation:g}_{seed}"
            model = trained(correlation, seed, place, **training)
            shown = draw_signs(n_pictures, world, split="test", seed=seed + 3, sign_size=SIGN_SIZE)
            folder = audited(model, shown, place / f"audit_{options.baseline}_{world:g}", options.baseline)
            print(f"\ncorrelation {correlation:g}, seed {seed}, pictures of correlation {world:g}", flush=True)
            for each in leaders(folder, shown.masks, prover(model, folder)):
                side = "scene" if each.scene else "sign "
                mark = "proved" if each.accused else "not proved" if each.suspected else ""
                print(
                    f"  {each.name:<12} {side} {each.off_sign:4.0%} off the sign, {each.share:4.0%} of the evidence: "
                    f"{each.description:<48} {mark}",
                    flush=True,
                )
                totals.setdefault((correlation, world), []).append(each)
    print()
    for (correlation, world), found in sorted(totals.items()):
        scenes, suspected = sum(leader.scene for leader in found), sum(leader.suspected for leader in found)
        print(
            f"networks of correlation {correlation:g}, pictures of {world:g}: the scene leads for {scenes} of "
            f"{len(found)} classes, {suspected} look suspicious, {sum(leader.accused for leader in found)} are proved"
        )


if __name__ == "__main__":
    main()
