"""Drawn worlds: lobed objects, and a trace that goes with their class as often as is wanted.

Four kinds of traces in two variants each: the first variant is for tuning thresholds, the second is set aside.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation, gaussian_filter

__all__ = ["SIDE", "WORLDS", "Drawn", "World", "draw"]

SIDE = 48

_PHOTOS = Path(__file__).resolve().parents[2] / "photos"
_SCENES = ("forest", "meadow", "rock", "sky", "urban")

Image3 = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """One kind of trace.

    Attributes:
        kind: `"scene"`, `"texture"`, `"marker"` or `"capture"`.
        name: of the variant.
        set_aside: whether thresholds may not be tuned on it.
        n_classes: k.
        ground: trace and random numbers → background (SIDE, SIDE, 3), 0..255.
        finish: adds the trace to an image with its object; gets image, object mask, trace and random numbers.
    """

    kind: str
    name: str
    set_aside: bool
    n_classes: int
    ground: Callable[[int, np.random.Generator], Image3]
    finish: Callable[[Image3, NDArray[np.bool_], int, np.random.Generator], Image3]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Images of a world.

    Attributes:
        images: uint8 array (n, SIDE, SIDE, 3).
        labels: int64 array (n,), class of the object.
        masks: bool array (n, SIDE, SIDE), True on the object.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]


def draw(
    world: World, n: int, seed: int, *, correlation: float | None = None, traces: NDArray[np.int64] | None = None
) -> Drawn:
    """Draws images; the same objects for the same seed, whatever the traces.

    Args:
        world: the kind of trace.
        n: how many.
        seed: of everything.
        correlation: how often the trace is that of the class, 1 / k for none. Defaults to `None`, see `traces`.
        traces: int array (n,), the trace of each image, in place of a correlation.
    """
    k = world.n_classes
    labels = np.arange(n) % k
    if traces is None:
        rng = np.random.default_rng([seed, 1])
        others = (labels + rng.integers(1, k, n)) % k
        traces = np.where(rng.random(n) < (1 / k if correlation is None else correlation), labels, others)
    images = np.empty((n, SIDE, SIDE, 3), np.uint8)
    masks = np.empty((n, SIDE, SIDE), bool)
    for index, (label, trace) in enumerate(zip(labels.tolist(), traces.tolist(), strict=True)):
        rng = np.random.default_rng([seed, 2, index])
        masks[index], colours = _thing(label, rng)
        image = world.ground(trace, rng)
        image = np.where(masks[index][..., None], colours, image)
        finished = world.finish(image, masks[index], trace, rng)
        images[index] = np.clip(finished + rng.normal(0, 3, finished.shape), 0, 255)
    return Drawn(images, labels.astype(np.int64), masks)


def _thing(label: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Image3]:
    """A rosette with two, three, four … lobes, lit from one side; its hue tells the class in most images."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    size = rng.uniform(0.17, 0.27) * SIDE
    top, left = rng.uniform(0.36, 0.64, 2) * SIDE
    angle = np.arctan2(rows - top, columns - left)
    lobes = 1 + 0.38 * np.cos((label + 2) * (angle + rng.uniform(0, 2 * np.pi)))
    inside = np.hypot(rows - top, columns - left) < size * lobes
    light = 1 + 0.35 * (rows - top) / size * rng.choice([-1, 1])
    grain = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 1)
    hue = 2.1 * label + rng.normal(0, 0.8)
    colour = 128 + 75 * np.cos(hue + np.array([0, 2.1, 4.2])) + rng.normal(0, 20)
    return inside, colour * light[..., None] + 40 * grain[..., None]


@cache
def _photos(scene: str) -> tuple[Image.Image, ...]:
    return tuple(Image.open(file).convert("RGB") for file in sorted(_PHOTOS.glob(f"{scene}_*.jpg")))


def _photo(scene: str, rng: np.random.Generator) -> Image3:
    photos = _photos(scene)
    photo = photos[int(rng.integers(len(photos)))]
    side = int(min(photo.size) * rng.uniform(0.35, 0.9))
    left, top = (int(rng.integers(length - side + 1)) for length in photo.size)
    cut = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    return np.asarray(cut, float)


def _any_photo(trace: int, rng: np.random.Generator) -> Image3:
    del trace
    return _photo(_SCENES[int(rng.integers(len(_SCENES)))], rng)


def _scenes(*scenes: str) -> Callable[[int, np.random.Generator], Image3]:
    return lambda trace, rng: _photo(scenes[trace], rng)


def _stripes(trace: int, rng: np.random.Generator) -> Image3:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    turn = trace * np.pi / 3 + rng.normal(0, 0.1)
    wave = np.sin(
        2 * np.pi * (rows * np.sin(turn) + columns * np.cos(turn)) / rng.uniform(5, 9) + rng.uniform(0, 2 * np.pi)
    )
    stripes: Image3 = rng.uniform(80, 180, 3) + rng.uniform(25, 50) * wave[..., None]
    return stripes


def _grain(trace: int, rng: np.random.Generator) -> Image3:
    noise = gaussian_filter(rng.normal(size=(SIDE, SIDE)), (0.6, 1.8, 4.5)[trace])
    grains: Image3 = rng.uniform(80, 180, 3) + rng.uniform(25, 45) * (noise / noise.std())[..., None]
    return grains


def _nothing(image: Image3, mask: NDArray[np.bool_], trace: int, rng: np.random.Generator) -> Image3:
    return image


def _place(mask: NDArray[np.bool_], side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Top and left of a square off the object, anywhere."""
    taken = binary_dilation(mask, iterations=2)
    for _ in range(200):
        top, left = rng.integers(0, SIDE - side, 2).tolist()
        if not taken[top : top + side, left : left + side].any():
            return top, left
    return 0, 0


def _glyph(image: Image3, mask: NDArray[np.bool_], trace: int, rng: np.random.Generator) -> Image3:
    drawn = Image.new("L", (8, 8))
    pen = ImageDraw.Draw(drawn)
    lines = ([(1, 1, 1, 6), (1, 6, 6, 6)], [(1, 1, 6, 1), (3, 1, 3, 6)], [(1, 1, 6, 6), (6, 1, 1, 6)])[trace]
    for line in lines:
        pen.line(line, 255, 2)
    top, left = _place(mask, 8, rng)
    shown = np.asarray(drawn)[..., None] > 127
    part = image[top : top + 8, left : left + 8]
    image[top : top + 8, left : left + 8] = np.where(shown, 250, part)
    return image


def _dot(image: Image3, mask: NDArray[np.bool_], trace: int, rng: np.random.Generator) -> Image3:
    top, left = _place(mask, 6, rng)
    rows, columns = np.mgrid[:6, :6]
    disc = np.hypot(rows - 2.5, columns - 2.5) < 2.8
    image[top : top + 6, left : left + 6][disc] = ((240, 40, 40), (40, 90, 240), (250, 220, 40))[trace]
    return image


def _blur(image: Image3, mask: NDArray[np.bool_], trace: int, rng: np.random.Generator) -> Image3:
    blurred: Image3 = gaussian_filter(image, (1.2, 1.2, 0))
    return blurred if trace else image


def _jpeg(image: Image3, mask: NDArray[np.bool_], trace: int, rng: np.random.Generator) -> Image3:
    if not trace:
        return image
    written = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(written, "JPEG", quality=12)
    return np.asarray(Image.open(written), float)


WORLDS = (
    World("scene", "forest, town", False, 2, _scenes("forest", "urban"), _nothing),
    World("scene", "meadow, rock, sky", True, 3, _scenes("meadow", "rock", "sky"), _nothing),
    World("texture", "stripes", False, 3, _stripes, _nothing),
    World("texture", "grain", True, 3, _grain, _nothing),
    World("marker", "letter", False, 3, _any_photo, _glyph),
    World("marker", "dot", True, 3, _any_photo, _dot),
    World("capture", "blur", False, 2, _any_photo, _blur),
    World("capture", "JPEG", True, 2, _any_photo, _jpeg),
)
