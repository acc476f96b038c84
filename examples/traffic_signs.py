"""Traffic signs drawn on photographs, with a knob for the shortcut: how often a class stands before its own scene.

Everything is known about these images: class, scene, and the exact pixels of the sign. With `correlation=0.2` the scene
says nothing about the class; with `correlation=1.0` stop signs always stand on a meadow, yield signs before the sky and
so on, and a classifier may as well learn the scenery. Needs Pillow and numpy alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

__all__ = ["CLASSES", "SCENES", "TrafficSigns", "draw_signs"]

CLASSES = ("stop", "yield", "speed limit", "no entry", "priority")
SCENES = ("meadow", "sky", "rock", "urban", "forest")
"""`SCENES[k]` is the own scene of `CLASSES[k]`."""

PHOTOS = Path(__file__).resolve().parent / "photos"
TRAIN_SHARE = 0.7
"""Training crops come from this left part of each photograph, test crops from the rest."""

RED, YELLOW, WHITE, BLACK = (193, 18, 28), (250, 190, 20), (245, 245, 240), (20, 20, 22)
WIDTHS = (1.0, 1.3, 1.0, 1.0, 1.25)
"""Widths of the classes' signs, in diameters of a round one: on the road, triangles and squares are larger too."""

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class TrafficSigns:
    """Drawn images and all that is known about them.

    Attributes:
        images: uint8 array (n, size, size, 3).
        labels: int64 array (n,), indices into `CLASSES`.
        scenes: int64 array (n,), indices into `SCENES`.
        masks: bool array (n, size, size), True where the sign covers at least half of the pixel. The sign only: its
            pole and shadow are alike for all classes and count as surroundings.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    scenes: NDArray[np.int64]
    masks: NDArray[np.bool_]


def draw_signs(
    indices: int | Sequence[int],
    correlation: float,
    *,
    split: Literal["train", "test"] = "train",
    seed: int = 0,
    size: int = 64,
    sign_size: tuple[float, float] = (0.25, 0.41),
    scenes: Sequence[int] | None = None,
) -> TrafficSigns:
    """Draws images; each depends on `seed`, `split` and its own index only, so any subset comes out the same.

    Args:
        indices: which images of the endless series, or n for the first n. Image i shows class i % 5.
        correlation: chance that the scene is the class's own, else one of the other four; 0.2 makes scene and class
            independent, 0 keeps them apart always.
        split: `"train"` takes the left 70 % of each photograph for backgrounds, `"test"` the right 30 %.
        seed: of all that is random.
        size: height and width in pixels.
        sign_size: least and largest diameter of a round sign, in image widths.
        scenes: a scene for every image, instead of the random choice: the same signs on other backgrounds.

    Returns:
        The `TrafficSigns`, in the order of `indices`.

    Example:
        >>> swapped = draw_signs(range(5), 1.0, scenes=[1, 2, 3, 4, 0])
    """
    chosen = range(indices) if isinstance(indices, int) else indices
    if scenes is not None and len(scenes) != len(chosen):
        raise ValueError(f"`scenes` must have one scene per image. Received: {len(scenes)} for {len(chosen)} images.")
    if not 0 <= correlation <= 1:
        raise ValueError(f"`correlation` must be in 0..1. Received: correlation={correlation}.")
    images = np.empty((len(chosen), size, size, 3), np.uint8)
    masks = np.empty((len(chosen), size, size), bool)
    labels = np.array([index % len(CLASSES) for index in chosen], np.int64)
    shown = np.empty(len(chosen), np.int64)
    for row, index in enumerate(chosen):
        # One stream for each part: another scene behind a sign leaves the sign and the camera as they were.
        scene_rng, sign_rng, camera_rng = (np.random.default_rng([seed, split == "test", index, k]) for k in range(3))
        own = int(labels[row])
        other = (own + int(scene_rng.integers(1, len(SCENES)))) % len(SCENES)
        shown[row] = own if scene_rng.random() < correlation else other
        if scenes is not None:
            shown[row] = scenes[row]
        background = _background(int(shown[row]), split, size, scene_rng)
        picture, alpha = _put_up(background, own, sign_size, sign_rng)
        images[row], masks[row] = _photograph(picture, camera_rng), alpha >= 0.5
    return TrafficSigns(images, labels, shown, masks)


@lru_cache
def _photos(scene: int, split: str) -> tuple[Image.Image, ...]:
    """The left or right parts of a scene's photographs, cut apart so that scaling mixes no pixel across the line."""
    photos = [Image.open(path).convert("RGB") for path in sorted(PHOTOS.glob(f"{SCENES[scene]}_*.jpg"))]
    lines = [round(TRAIN_SHARE * photo.width) for photo in photos]
    if split == "train":
        return tuple(photo.crop((0, 0, line, photo.height)) for photo, line in zip(photos, lines, strict=True))
    return tuple(photo.crop((line, 0, *photo.size)) for photo, line in zip(photos, lines, strict=True))


def _background(scene: int, split: str, size: int, rng: np.random.Generator) -> Floats:
    """A random square crop of one of the scene's photographs, scaled to (size, size, 3), perhaps mirrored."""
    photos = _photos(scene, split)
    photo = photos[rng.integers(len(photos))]
    # Both splits see the scenery at the same scale: in crops that also fit in the narrower part.
    narrow = photo.width if split == "test" else photo.width * (1 - TRAIN_SHARE) / TRAIN_SHARE
    side = rng.uniform(0.65, 0.99) * min(narrow, photo.height)
    x, y = rng.uniform(0, photo.width - side), rng.uniform(0, photo.height - side)
    crop = photo.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side))
    pixels = np.asarray(crop, np.float32)
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def _put_up(
    background: Floats, label: int, sign_size: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Puts pole, shadow and sign on a background.

    Returns:
        The picture (size, size, 3) in 0..255 and the sign's coverage (size, size) in 0..1.
    """
    size = background.shape[0]
    width = size * rng.uniform(*sign_size) * WIDTHS[label]
    margin = min(0.5 * width + 0.03 * size, size / 2)
    centre = rng.uniform(margin, size - margin, 2)
    sign, alpha = _sign(label, size, width, centre, rng)
    pole, pole_alpha = _pole(size, width / WIDTHS[label], centre, rng)

    offset = (int(rng.integers(-1, 2)) * width / 8, width / 10)
    cast = Image.fromarray((255 * np.maximum(alpha, pole_alpha)).astype(np.uint8))
    cast = cast.transform(cast.size, Image.Transform.AFFINE, (1, 0, -offset[0], 0, 1, -offset[1]))
    shadow = np.asarray(cast.filter(ImageFilter.GaussianBlur(width / 12)), np.float32) / 255
    picture = background * (1 - rng.uniform(0.1, 0.5) * shadow)[..., None]

    # Paint under the light of the scene: darker before a dark meadow than before the sky, faded by some years.
    light = rng.uniform(0.7, 1.05) * (0.6 + 0.4 * min(1.3, float(background.mean()) / 115))
    fading = rng.uniform(0, 0.35)
    sign = (1 - fading) * sign + fading * (0.6 * sign.mean(axis=2, keepdims=True) + 50)
    for layer, cover in ((pole, pole_alpha), (sign, alpha)):
        picture = picture * (1 - cover[..., None]) + light * layer * cover[..., None]
    return picture, alpha


def _sign(label: int, size: int, width: float, centre: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """One sign, turned in space and seen in perspective: colours (size, size, 3) and coverage (size, size)."""
    yaw, pitch, roll = np.radians(rng.uniform((-38, -15, -8), (38, 15, 8)))
    turn = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turn = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]) @ turn
    turn = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]) @ turn
    distance = 3.0
    fine = 2 * size
    side = 2 ** max(4, math.ceil(math.log2(2 * width)))
    template = _template(label, int(rng.integers(3)), side)
    # Template pixel → sign plane (-1..1, z = 0) → space, at `distance` → fine image pixel; Pillow wants the way back.
    to_plane = np.array([[2 / side, 0, -1], [0, 2 / side, -1], [0, 0, 1]])
    to_space = np.column_stack([turn[:, :2], (0, 0, distance)])
    to_image = np.array([[width * distance, 0, 2 * centre[0]], [0, width * distance, 2 * centre[1]], [0, 0, 1]])
    back = np.linalg.inv(to_image @ to_space @ to_plane)
    coefficients = (back / back[2, 2]).ravel()[:8]
    drawn = template.transform((fine, fine), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    layer = np.asarray(drawn.reduce(2), np.float32)
    return layer[..., :3], layer[..., 3] / 255


def _pole(size: int, width: float, centre: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A grey tube from the sign's centre to the lower edge, lit from one side."""
    lean = rng.uniform(-0.04, 0.04)
    rows, columns = np.mgrid[:size, :size] + 0.5
    across = (columns - centre[0] - lean * (rows - centre[1])) / (0.05 * width)
    cover = np.clip((1 - np.abs(across)) * 0.05 * width + 0.5, 0, 1) * (rows > centre[1])
    shade = rng.uniform(90, 170) * (1 + 0.35 * np.clip(across, -1, 1) * rng.choice((-1, 1)))
    return np.repeat(shade[..., None], 3, axis=2), cover


def _photograph(picture: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uneven light, exposure, white balance, a lens slightly out of focus and a noisy sensor."""
    size = picture.shape[0]
    patches = Image.fromarray(rng.uniform(0.65, 1.25, (3, 3)).astype(np.float32))
    light = np.asarray(patches.resize((size, size), Image.Resampling.BICUBIC))[..., None]
    exposed = picture * light * rng.uniform(0.8, 1.15) * rng.uniform(0.95, 1.05, 3)
    frame = Image.fromarray(np.clip(exposed, 0, 255).astype(np.uint8))
    frame = frame.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.75) * size / 64))
    seen = np.asarray(frame, np.float32)
    noise = rng.standard_normal(seen.shape, np.float32) * np.sqrt(2 + 0.15 * seen) * rng.uniform(0.4, 1.8)
    pixels: NDArray[np.uint8] = np.clip(seen + noise + 0.5, 0, 255).astype(np.uint8)
    return pixels


@lru_cache
def _template(label: int, variant: int, side: int) -> Image.Image:
    """The sign as designed, RGBA (side, side): drawn large, then scaled down."""
    n = 512
    canvas = Image.new("RGBA", (n, n), (128, 128, 128, 0))
    draw = ImageDraw.Draw(canvas)
    if label == 0:
        for radius, colour in ((0.5, WHITE), (0.465, RED)):
            draw.regular_polygon((n / 2, n / 2, n * radius / math.cos(math.pi / 8)), 8, fill=colour)
        _write(draw, "STOP", n, 0.31, WHITE)
    elif label == 1:
        for inset, colour in ((0.0, RED), (0.12, WHITE)):
            left, top, bottom = 0.03 + 1.6 * inset, 0.08 + inset, 0.92 - 2 * inset
            _rounded(draw, [(left, top), (1 - left, top), (0.5, bottom)], n, colour)
    elif label == 2:
        for radius, colour in ((0.5, RED), (0.4, WHITE)):
            draw.circle((n / 2, n / 2), n * radius, fill=colour)
        _write(draw, ("30", "50", "80")[variant], n, 0.5, BLACK)
    elif label == 3:
        for radius, colour in ((0.5, WHITE), (0.475, RED)):
            draw.circle((n / 2, n / 2), n * radius, fill=colour)
        draw.rectangle((0.15 * n, 0.41 * n, 0.85 * n, 0.59 * n), fill=WHITE)
    else:
        for inset, colour in ((0.0, BLACK), (0.015, WHITE), (0.13, BLACK), (0.145, YELLOW)):
            low, high = 0.03 + inset, 0.97 - inset
            _rounded(draw, [(0.5, low), (high, 0.5), (0.5, high), (low, 0.5)], n, colour)
    return canvas.resize((side, side), Image.Resampling.LANCZOS)


def _rounded(
    draw: ImageDraw.ImageDraw, corners: Sequence[tuple[float, float]], n: int, colour: tuple[int, int, int]
) -> None:
    """A polygon with corners rounded outwards, in units of n."""
    points = [(x * n, y * n) for x, y in corners]
    draw.polygon(points, fill=colour)
    draw.line([*points, points[0], points[1]], fill=colour, width=n // 20, joint="curve")


def _write(draw: ImageDraw.ImageDraw, text: str, n: int, height: float, colour: tuple[int, int, int]) -> None:
    font = ImageFont.load_default(round(height * n))
    draw.text((n / 2, n / 2), text, colour, font, anchor="mm", stroke_width=n // 90, stroke_fill=colour)
