"""Folders as an audit leaves them, made up from a seed with the audit's own writer; all that they say is known.

`python -m tests.support.planted_audits FOLDER` writes one to look at.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.storage.image_codec import encode_image, encode_mask, encode_segments
from keras_lime.auditing.storage.schema import FORMAT_VERSION, PICTURE_COLUMNS, ROW_COLUMNS
from keras_lime.auditing.storage.shards import make_folder, write_shard
from keras_lime.auditing.visual_words.descriptors import Descriptors, describe_segments
from keras_lime.auditing.visual_words.proof import Prover, prove_words
from keras_lime.core.display import Display
from keras_lime.core.segmentation import Segmentation
from keras_lime.scoring import make_scorer

OBJECTS = ((200, 40, 40), (230, 190, 40), (230, 230, 230), (120, 40, 150), (240, 130, 30))
SCENES = ((60, 120, 50), (90, 140, 210), (60, 55, 50), (150, 110, 80), (30, 150, 150))
SIDE = 6
"""Superpixels a side."""


@dataclass(frozen=True)
class Planted:
    """What a folder holds.

    Attributes:
        images: number of images, one class after the other.
        classes: number of classes; looks repeat after five.
        on_scene: share of each explanation on the scene; the rest is on the object, the middle four superpixels.
        biased: the scene is of the object's class; else of any.
        masks: objects have masks.
        pixels: of a superpixel's side.
        noise: standard deviation of each weight, and its standard error.
        roughness: standard deviation of a picture's pixels from their surface's colour.
        stripes: scenes are all grey, and differ by which way their stripes run.
        baseline: what the settings say of it.
        variants: so many pictures are drawn of each class and scene, and come again and again; None: all are new.
        wrong: so many images, the first ones, are predicted as the next class.
        failed: so many images, the last ones, could not be explained.
        shard_size: images per shard.
        names: names of files, instead of made-up ones.
        seed: of everything.
    """

    images: int = 60
    classes: int = 3
    on_scene: float = 0.6
    biased: bool = True
    masks: bool = False
    pixels: int = 6
    noise: float = 0.002
    roughness: float = 3.0
    stripes: bool = False
    baseline: str = "grey"
    variants: int | None = None
    wrong: int = 0
    failed: int = 0
    shard_size: int = 16
    names: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    seed: int = 0

    def class_name(self, number: int) -> str:
        return f"class {number}" if self.class_names is None else self.class_names[number]


def write_audit(folder: Path, planted: Planted | None = None) -> Path:
    """Writes rows and pictures of an audit; `summarise` has yet to be called."""
    planted = planted or Planted()
    names = [planted.class_name(number) for number in range(planted.classes)]
    settings = {"segmentation": "grid", "baseline": planted.baseline, "num_samples": 256, "seed": 0}
    about = {"format_version": FORMAT_VERSION, "class_names": names, "scale": "probability", "settings": settings}
    make_folder(folder, {**about, "dataset": "data/planted", "model": {"sha256": "0" * 64}})
    for index, start in enumerate(range(0, planted.images, planted.shard_size)):
        positions = range(start, min(start + planted.shard_size, planted.images))
        shown = [_image(planted, position) for position in positions]
        rows = [row for row, _ in shown]
        pictures = [picture for _, picture in shown if picture is not None]
        columns = {name: [row.get(name) for row in rows] for name in ROW_COLUMNS}
        drawn = {name: [picture.get(name) for picture in pictures] for name in PICTURE_COLUMNS}
        write_shard(folder, index, columns, drawn, [row["image_id"] for row in rows], len(rows) - len(pictures))
    return folder


def prover(
    folder: Path, planted: Planted | None = None, *, reads: Literal["scene", "patch", "object"] = "scene"
) -> Prover:
    """Proves words with a model that knows a class by its colour.

    Args:
        folder: the audit's folder.
        planted: what it holds.
        reads: by how much of the scene, or of the object, has its colour, or whether any patch of the scene has.
    """
    planted = planted or Planted()
    colours: Any = (OBJECTS if reads == "object" else SCENES)[: planted.classes]
    side = SIDE * planted.pixels
    middle = np.zeros((side, side), bool)
    middle[side // 3 : -(side // 3), side // 3 : -(side // 3)] = True
    seen = middle if reads == "object" else ~middle

    def model(images: NDArray[np.float32]) -> NDArray[np.float64]:
        away = np.linalg.norm(images[:, seen][:, :, None] - np.array(colours), axis=3)
        share = (away.argmin(axis=2)[..., None] == np.arange(len(colours))).mean(axis=1)
        likely = np.exp(4.0 * (share > 0.01) if reads == "patch" else 8 * share)
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))

    shape = (side, side, 3)
    scorer = make_scorer(model, shape)
    return partial(prove_words, folder, display=Display(0, 255), image_shape=shape, scorer=scorer)


def _image(planted: Planted, position: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    rng = np.random.default_rng([planted.seed, position])
    label = position % planted.classes
    predicted = (label + 1) % planted.classes if position < planted.wrong else label
    name = f"{planted.class_name(label)}/{position}.png" if planted.names is None else planted.names[position]
    row: dict[str, Any] = {
        "position": position,
        "image_id": f"{position:016x}",
        "path": name,
        "label": label,
        "label_name": planted.class_name(label),
    }
    if position >= planted.images - planted.failed:
        return {**row, "image_id": None, "error": "cannot identify image file"}, None
    scene = label if planted.biased else int(rng.integers(planted.classes))
    variant = position if planted.variants is None else position // planted.classes % planted.variants
    shown = _shown(planted.pixels, label, scene, planted.roughness, planted.stripes, (planted.seed, variant))
    inside, looks, count = shown.inside, shown.looks, len(shown.inside)
    weights = np.where(inside > 0.5, (1 - planted.on_scene) / 4, planted.on_scene / (count - 4))
    weights = 0.9 * weights + rng.normal(0, planted.noise, count)
    positive = np.maximum(weights, 0)
    row |= {
        "predicted": predicted,
        "predicted_name": planted.class_name(predicted),
        "predicted_value": float(rng.uniform(0.8, 0.99)),
        "target": predicted,
        "target_name": planted.class_name(predicted),
        "probability": 0.9,
        "r2": 0.7,
        "effective_samples": 200.0,
        "num_samples": 256,
        "intercept": 0.05,
        "local_prediction": 0.9,
        "caveats": 0,
        "object_share": float(positive @ inside / positive.sum()) if planted.masks else None,
        "object_chance": 4 / count if planted.masks else None,
        "n_segments": count,
        "weights": weights.astype(np.float32),
        "stderr": np.full(count, planted.noise, np.float32),
        "flags": np.zeros(count, np.uint8),
        "segment_area": looks.area,
        "segment_y": looks.y,
        "segment_x": looks.x,
        "segment_at_border": looks.at_border,
        "segment_lightness": looks.lightness,
        "segment_a": looks.a,
        "segment_b": looks.b,
        "segment_spread": looks.spread,
        "segment_texture": looks.texture,
        "segment_upright": looks.upright,
        "segment_slanted": looks.slanted,
        "segment_on_object": inside.astype(np.float32) if planted.masks else None,
    }
    drawn = {
        "position": position,
        "image_id": row["image_id"],
        "height": SIDE * planted.pixels,
        "width": SIDE * planted.pixels,
        "picture": shown.picture,
        "segments": shown.segments,
        "object_mask": shown.mask if planted.masks else None,
    }
    return row, drawn


@dataclass(frozen=True, eq=False)
class _Shown:
    """A picture and all that follows from it; `inside` is each superpixel's share on the object."""

    picture: bytes
    segments: bytes
    mask: bytes
    inside: NDArray[np.float64]
    looks: Descriptors


@lru_cache(maxsize=512)
def _shown(pixels: int, label: int, scene: int, roughness: float, stripes: bool, seed: tuple[int, int]) -> _Shown:
    """A square object before a scene."""
    rng, cells = np.random.default_rng(seed), np.arange(SIDE * pixels) // pixels
    segmentation = Segmentation.from_labels(cells[:, None] * SIDE + cells)
    middle = (cells >= SIDE // 2 - 1) & (cells <= SIDE // 2)
    mask = middle[:, None] & middle
    ground: Any = SCENES[scene % len(SCENES)]
    if stripes:
        rows, columns = np.mgrid[: len(cells), : len(cells)]
        turn = np.pi * (scene % len(SCENES)) / len(SCENES)
        wave = np.sin(2 * np.pi * (columns * np.cos(turn) + rows * np.sin(turn)) / 6 + rng.uniform(0, 6))
        ground = (128 + 60 * wave)[..., None]
    picture = np.where(mask[..., None], OBJECTS[label % len(OBJECTS)], ground).astype(np.float64)
    noisy = picture + rng.normal(0, 4, (1, 1, 3)) + rng.normal(0, roughness, picture.shape)
    drawn = np.clip(noisy, 0, 255).astype(np.uint8)
    return _Shown(
        encode_image(drawn),
        encode_segments(segmentation.labels),
        encode_mask(mask),
        segmentation.share_inside(mask),
        describe_segments(drawn, segmentation),
    )


def main() -> None:
    """Writes a folder with its summary and report."""
    from keras_lime.api.report import write_report
    from keras_lime.auditing.summary import summarise

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    summarise(write_audit(folder, Planted(wrong=4, failed=2)), prove=prover(folder))
    print(write_report(folder, folder / "report.html"))


if __name__ == "__main__":
    main()
