"""What a visual word looks like, in plain words: "dark green, textured, at the border".

Names are for orientation. What a word really looks like, its example pictures show. May import the standard library.
"""

import math
from dataclasses import dataclass

__all__ = ["Looks", "colour_name", "describe", "place_name"]

_ACHROMATIC = ((18.0, "black"), (40.0, "dark grey"), (65.0, "grey"), (86.0, "light grey"), (math.inf, "white"))
_GREY_BELOW_CHROMA = 8.0

_HUES: tuple[tuple[float, str], ...] = (
    (18.0, "pink-red"),
    (55.0, "red"),
    (80.0, "orange"),
    (107.0, "yellow"),
    (165.0, "green"),
    (215.0, "turquoise"),
    (310.0, "blue"),
    (345.0, "purple"),
    (360.0, "pink-red"),
)
"""Upper ends of the CIELAB hue angles, in degrees, of the basic colour terms (Berlin & Kay 1969) and turquoise."""

_DARK, _LIGHT = 32.0, 75.0

_STRIPED = 0.4
"""Mean coherence from which a word is called striped."""


@dataclass(frozen=True)
class Looks:
    """Averages over a word's superpixels.

    Attributes:
        lightness: CIELAB L*, 0..100.
        a: CIELAB a*.
        b: CIELAB b*.
        texture: −1 smooth, 0 neither, 1 textured, compared with the other superpixels of the data set.
        size: −1 small, 0 neither, 1 large, compared likewise.
        y: mean centre from the top, 0..1.
        x: mean centre from the left, 0..1.
        y_spread: standard deviation of `y`.
        x_spread: standard deviation of `x`.
        border: share of the superpixels that touch the picture's border, 0..1.
        usual_border: the same over all superpixels of the data set.
        stripes: which way they run, such as `"upright stripes"`; empty without. Defaults to none.
    """

    lightness: float
    a: float
    b: float
    texture: int
    size: int
    y: float
    x: float
    y_spread: float
    x_spread: float
    border: float
    usual_border: float
    stripes: str = ""


def describe(looks: Looks) -> str:
    """Colour, surface, size and place, as far as each says something."""
    surface = looks.stripes or {-1: "smooth", 1: "textured"}.get(looks.texture)
    size = {-1: "small", 1: "large"}.get(looks.size)
    parts = (colour_name(looks.lightness, looks.a, looks.b), surface, size, place_name(looks))
    return ", ".join(part for part in parts if part)


def stripes_name(upright: float, slanted: float) -> str:
    """Which way stripes run, by the means of `Descriptors.upright` and `slanted`; empty where they do not agree."""
    if math.hypot(upright, slanted) < _STRIPED:
        return ""
    if abs(slanted) > abs(upright):
        return "rising stripes" if slanted > 0 else "falling stripes"
    return "upright stripes" if upright > 0 else "level stripes"


def colour_name(lightness: float, a: float, b: float) -> str:
    """A basic colour term for a CIELAB colour, such as `"dark green"`."""
    chroma = math.hypot(a, b)
    if chroma < _GREY_BELOW_CHROMA:
        return next(name for end, name in _ACHROMATIC if lightness < end)
    hue = math.degrees(math.atan2(b, a)) % 360
    name = next(name for end, name in _HUES if hue <= end)
    if name == "pink-red":
        return "pink" if lightness >= 55 else "dark red" if lightness < _DARK else "red"
    if name == "red":
        if lightness >= 70:
            return "pink"
        name = "brown" if chroma < 28 else "red"
    elif name == "orange" and (chroma < 42 or lightness < 50):
        name = "beige" if lightness >= 62 else "brown"
    elif name == "yellow" and (chroma < 32 or lightness < 55):
        name = "beige" if lightness >= 70 else "olive"
    elif chroma < 14:
        # So little colour is a tinge, as of a road under a blue sky.
        grey = next(shade for end, shade in _ACHROMATIC if lightness < end)
        return f"{_adjective(name)} {grey}"
    if name in {"beige", "brown", "olive", "yellow", "orange"}:
        return f"dark {name}" if lightness < _DARK and name != "yellow" else name
    return f"dark {name}" if lightness < _DARK else f"light {name}" if lightness > _LIGHT and name != "red" else name


def _adjective(name: str) -> str:
    return {"purple": "purplish", "turquoise": "greenish", "green": "greenish", "blue": "bluish"}.get(name, name)


def place_name(looks: Looks) -> str | None:
    """Where a word's superpixels are, or None if they are anywhere."""
    gathered_y, gathered_x = looks.y_spread < 0.2, looks.x_spread < 0.2
    vertical = ("top" if looks.y < 0.36 else "bottom" if looks.y > 0.64 else "") if gathered_y else ""
    horizontal = ("left" if looks.x < 0.36 else "right" if looks.x > 0.64 else "") if gathered_x else ""
    if vertical and horizontal:
        return f"in the {vertical} {horizontal} corner"
    if vertical:
        return f"at the {vertical}"
    if horizontal:
        return f"on the {horizontal}"
    if looks.border >= max(0.7, 1.25 * looks.usual_border):
        return "at the border"
    if looks.border <= 0.4 * looks.usual_border:
        return "in the middle" if gathered_x and gathered_y else "away from the border"
    return None
