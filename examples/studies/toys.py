"""Toys on fabrics, all drawn: a second world for studies, in which nothing looks like a traffic sign on a photograph.

Five shapes in any colour, turned a little; five weaves of cloth in any colour. With `correlation=1.0` each shape lies
on its own weave, with 0.2 on any. Only its outline tells a toy's class, only its pattern a cloth. Needs Pillow and
numpy.
"""

import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from traffic_signs import TrafficSigns

__all__ = ["draw_toys"]

_SIZE = 64
_FINE = 4
_CLASSES = 5


def draw_toys(count: int, correlation: float, *, split: str = "train", seed: int = 0) -> TrafficSigns:
    """Draws images; image i shows class i % 5 and depends on seed, split and i alone.

    Args:
        count: number of images.
        correlation: chance that the cloth is the class's own, else one of the other four.
        split: `"train"` or `"test"`, which are drawn independently.
        seed: of all that is random.

    Returns:
        Images (count, 64, 64, 3) with labels, cloths and masks, in the form of the traffic signs.
    """
    images = np.empty((count, _SIZE, _SIZE, 3), np.uint8)
    masks = np.empty((count, _SIZE, _SIZE), bool)
    labels = np.arange(count, dtype=np.int64) % _CLASSES
    cloths = np.empty(count, np.int64)
    for index in range(count):
        rng = np.random.default_rng([seed, split == "test", index])
        own = int(labels[index])
        other = (own + int(rng.integers(1, _CLASSES))) % _CLASSES
        cloths[index] = own if rng.random() < correlation else other
        cover = _toy(own, rng)
        cloth, colour = _cloth(int(cloths[index]), rng), rng.uniform(0, 255, 3)
        # A toy that has the colour of the cloth could not be seen.
        while np.abs(colour - cloth.mean(axis=(0, 1))).max() < 60:
            colour = rng.uniform(0, 255, 3)
        shade = colour * rng.uniform(0.85, 1.1) + 12 * rng.standard_normal((_SIZE, _SIZE, 1))
        picture = cloth * (1 - cover[..., None]) + shade * cover[..., None]
        picture += 5 * rng.standard_normal(picture.shape)
        images[index], masks[index] = np.clip(picture, 0, 255).astype(np.uint8), cover >= 0.5
    return TrafficSigns(images, labels, cloths, masks)


def _toy(label: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coverage of a star, ring, cross, half-moon or triangle, (64, 64)."""
    side = _SIZE * _FINE
    canvas = Image.new("L", (side, side))
    draw = ImageDraw.Draw(canvas)
    radius = side * rng.uniform(0.17, 0.25)
    x, y = rng.uniform(radius + side / 16, side - radius - side / 16, 2)
    turn = rng.uniform(-0.4, 0.4) - math.pi / 2

    def points(radii: list[float]) -> list[tuple[float, float]]:
        angles = [turn + 2 * math.pi * step / len(radii) for step in range(len(radii))]
        return [
            (x + r * radius * math.cos(a), y + r * radius * math.sin(a)) for r, a in zip(radii, angles, strict=True)
        ]

    if label == 0:
        draw.polygon(points([1.0, 0.42] * 5), fill=255)
    elif label == 1:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=round(radius * 0.42))
    elif label == 2:
        draw.polygon(points([1.0, 0.95, 0.42, 0.95] * 4), fill=255)
    elif label == 3:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        a, b = x + 0.55 * radius * math.cos(turn), y + 0.55 * radius * math.sin(turn)
        draw.ellipse((a - 0.8 * radius, b - 0.8 * radius, a + 0.8 * radius, b + 0.8 * radius), fill=0)
    else:
        draw.polygon(points([1.05] * 3), fill=255)
    return np.asarray(canvas.reduce(_FINE), np.float64) / 255


def _cloth(kind: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Plain, striped, dotted, checked or cloudy cloth in two tints of one colour, (64, 64, 3) in 0..255."""
    rows, columns = np.mgrid[:_SIZE, :_SIZE]
    turn, period = rng.uniform(-0.4, 0.4), rng.uniform(7, 11)
    across = (columns * math.cos(turn) + rows * math.sin(turn) + rng.uniform(0, period)) / period
    along = (rows * math.cos(turn) - columns * math.sin(turn) + rng.uniform(0, period)) / period
    if kind == 0:
        pattern = np.zeros((_SIZE, _SIZE))
    elif kind == 1:
        pattern = np.sign(np.sin(2 * math.pi * across))
    elif kind == 2:
        pattern = np.where((across % 1 - 0.5) ** 2 + (along % 1 - 0.5) ** 2 < 0.09, 1.0, -1.0)
    elif kind == 3:
        pattern = np.sign(np.sin(2 * math.pi * across) * np.sin(2 * math.pi * along))
    else:
        noise = Image.fromarray((255 * rng.random((9, 9))).astype(np.uint8))
        smooth = noise.resize((_SIZE, _SIZE), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
        pattern = np.asarray(smooth, np.float64) / 64 - 2
    colour = rng.uniform(60, 200, 3)
    cloth: NDArray[np.float64] = colour + 28 * pattern[..., None] * rng.uniform(0.7, 1.2, 3)
    return cloth
