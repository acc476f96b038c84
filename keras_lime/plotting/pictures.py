"""`Explanation` → figures made of pictures. May import matplotlib, and the core."""

from collections.abc import Callable, Sequence
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import as_pixels
from keras_lime.core.localisation import object_share
from keras_lime.core.overlay import OPACITY, PALETTES, Ground, Palette
from keras_lime.core.segmentation import Segmentation
from keras_lime.plotting.figures import new_figure, shorten

__all__ = ["plot", "plot_samples", "plot_segments"]

# Inches: a picture's width, the space between two, the height of a line of words; letters that fit in one inch.
_PANEL, _SMALL_PANEL, _GAP, _LINE, _LETTERS = 3.0, 2.25, 0.12, 0.18, 11.5
_WRONG, _NOTE = "#c62828", "#555555"


def plot(
    explanation: Explanation, *, palette: Palette = "green-red", scale: float | None = None, grey: bool = True
) -> Figure:
    """The picture and, beside it, the explanation of every target.

    Above the picture stands what the model predicts (in red where the true class is known to be another), above each
    explanation the target with its probability, R² and, where the object is known, the share of the positive weight
    that lies on it; below it what the colours mean. The object is outlined, superpixels that cannot be judged are
    hatched, weights within two standard errors of zero are faint, and its `diagnostics` stand under the pictures.

    Args:
        explanation: what to show.
        palette: colours for and against the target, a key of `PALETTES`. Defaults to `"green-red"`.
        scale: weight at which the colours are strongest, the same for all targets. Defaults to `None`: the largest
            absolute weight of all targets, so that their colours can be compared.
        grey: draw the weights over a pale grey picture, so that all colour is weight. Defaults to `True`; `False`: over
            the picture in its own colours.

    Returns:
        A figure that notebooks and, in scripts, `plt.show()` show, and `savefig` saves.
    """
    shares, mask = object_share(explanation), explanation.object_mask
    lines = 2 if mask is None else 3
    panels = 1 + len(explanation.targets)
    notes = _wrapped([str(each) for each in explanation.diagnostics], min(4, panels) * _PANEL)
    figure, axes = _panels(explanation, panels, lines=lines, below=0.4, footer=notes)
    axes[0].imshow(explanation.picture)
    _title(axes[0], _prediction(explanation), wrong=_is_wrong(explanation))
    judged = np.abs(explanation.fit.coef[:, ~explanation.blind])
    largest = float(judged[np.isfinite(judged)].max(initial=0.0))
    strongest = scale if scale is not None else largest or 1.0
    for row, ax in enumerate(axes[1:]):
        target = explanation.targets[row]
        ground: Ground = "grey" if grey else "picture"
        ax.imshow(explanation.overlay(target, scale=strongest, palette=palette, ground=ground))
        r2 = explanation.r2[row]
        fidelity = f"R² = {r2:.2f}" if np.isfinite(r2) else "R² undefined"
        words = [explanation.target_names[row], f"{_value(explanation, explanation.prediction[row])} · {fidelity}"]
        if mask is not None and np.isfinite(shares[row]):
            words.append(f"object share {shares[row]:.2f} (chance {mask.mean():.2f})")
        _title(ax, words)
        _colour_bar(ax, strongest, palette)
    if mask is not None:
        for ax in axes:
            _draw_rims(ax, mask, width=0.8)
    return figure


def plot_segments(explanation: Explanation) -> Figure:
    """The superpixels: their rims, and their numbers as `top_segments` gives them.

    Args:
        explanation: what to show.

    Returns:
        A figure that notebooks and, in scripts, `plt.show()` show, and `savefig` saves.
    """
    segmentation = explanation.segmentation
    figure, (ax,) = _panels(explanation, 1, lines=1, panel=2 * _PANEL)
    ax.imshow(explanation.picture)
    _draw_rims(ax, segmentation.labels, width=0.8)
    size = float(np.clip(80 / np.sqrt(segmentation.n_segments), 5, 11))
    for index, (row, column) in enumerate(_inner_points(segmentation)):
        number = ax.text(column, row, str(index), color="white", size=size, ha="center", va="center")
        number.set_path_effects([withStroke(linewidth=2, foreground="black")])
    _title(ax, [f"{segmentation.n_segments} superpixels"])
    return figure


def plot_samples(explanation: Explanation, n: int = 8) -> Figure:
    """What the model really saw: the first perturbed images, with its answers and their weights in the fit.

    Args:
        explanation: what to show, with its perturbations, as `explain()` returns it.
        n: how many images, the unperturbed one first; all, if there are fewer. Defaults to `8`.

    Returns:
        A figure that notebooks and, in scripts, `plt.show()` show, and `savefig` saves.

    Raises:
        ValueError: if `n` is below 1, or the explanation came without perturbations.
    """
    neighborhood, baseline, scores = explanation.neighborhood, explanation.baseline, explanation.scores
    if neighborhood is None or baseline is None or scores is None:
        raise ValueError(
            "`explanation` must have its perturbations. Received: one without, as those read back from a log are. "
            "Make it anew with explain()."
        )
    if scores.asked is not None:
        raise ValueError(
            "`explanation` must hold the model's own answers. Received: one that carries over those of earlier epochs. "
            "Make it anew with explain()."
        )
    if n < 1:
        raise ValueError(f"`n` must be at least 1. Received: n={n}.")
    count = min(n, len(neighborhood.masks))
    shown_targets = min(len(explanation.targets), 3)
    figure, axes = _panels(explanation, count, lines=shown_targets + 1, panel=_SMALL_PANEL)
    hidden = _display(explanation)(baseline)
    for index, ax in enumerate(axes):
        kept = neighborhood.masks[index][explanation.segmentation.labels]
        ax.imshow(np.where(kept[..., None], explanation.picture, hidden))
        lines = [
            f"{shorten(explanation.target_names[row], 18)} {_number(explanation, scores.values[index, row])}"
            for row in range(shown_targets)
        ]
        lines.append("unperturbed" if kept.all() else f"weight {neighborhood.weights[index]:.2g}")
        _title(ax, lines, panel=_SMALL_PANEL)
    return figure


def _panels(
    explanation: Explanation,
    count: int,
    *,
    lines: int,
    below: float = 0.05,
    panel: float = _PANEL,
    footer: Sequence[str] = (),
) -> tuple[Figure, list[Axes]]:
    """Axes for pictures, at most four in a row, with room for `lines` of words above and `below` inches under each.

    The lines of `footer` stand under all of them.

    Laid out by hand: matplotlib's own layouts let the words of pictures collide.
    """
    height, width = explanation.picture.shape[:2]
    tall = panel * float(np.clip(height / width, 0.3, 3.0))
    step = None if explanation.step is None else f"step {explanation.step}"
    heading = " · ".join(part for part in (explanation.name, step) if part)
    top = _LINE * 1.5 if heading else 0.0
    columns = min(4, count)
    rows = -(-count // columns)
    cell_width, cell_height = panel + _GAP, tall + lines * _LINE + _GAP + below
    bottom_lines = len(footer) * _LINE + _GAP * bool(footer)
    total_width, total_height = columns * cell_width + _GAP, rows * cell_height + top + bottom_lines
    figure = new_figure(figsize=(total_width, total_height))
    if heading:
        place = 1 - _LINE / total_height
        figure.text(0.5, place, heading, ha="center", va="center", parse_math=False, weight="bold")
    for index, line in enumerate(footer):
        place = (len(footer) - index - 0.5) * _LINE + _GAP
        figure.text(
            _GAP / total_width, place / total_height, line, va="center", size="small", parse_math=False, color=_NOTE
        )
    axes = []
    for index in range(count):
        row, column = divmod(index, columns)
        left, bottom = column * cell_width + _GAP, total_height - top - (row + 1) * cell_height + below
        ax = figure.add_axes((left / total_width, bottom / total_height, panel / total_width, tall / total_height))
        ax.set_axis_off()
        axes.append(ax)
    return figure, axes


def _wrapped(notes: Sequence[str], inches: float) -> list[str]:
    """Notes as lines of small letters, the second and further lines of each indented."""
    width = int(inches * _LETTERS * 1.15)
    return [line for note in notes for line in wrap(f"• {note}", width, subsequent_indent="   ")]


def _title(ax: Axes, lines: list[str], *, panel: float = _PANEL, wrong: bool = False) -> None:
    short = [shorten(line, int(panel * _LETTERS)) for line in lines]
    # Class names are shown as they are: a dollar sign starts no formula.
    title = ax.set_title("\n".join(short), size="medium", parse_math=False)
    if wrong:
        title.set_color(_WRONG)


def _prediction(explanation: Explanation) -> list[str]:
    if explanation.predicted_name is None:
        return [f"predicted {_value(explanation, explanation.predicted_value)}"]
    lines = [f"predicted: {explanation.predicted_name}", _value(explanation, explanation.predicted_value)]
    if _is_wrong(explanation) and explanation.label is not None:
        lines[1] += f" · true: {_label_name(explanation, explanation.label)}"
    return lines


def _is_wrong(explanation: Explanation) -> bool:
    return None not in (explanation.label, explanation.predicted) and explanation.label != explanation.predicted


def _label_name(explanation: Explanation, label: int) -> str:
    names = dict(zip(explanation.targets, explanation.target_names, strict=True))
    return names.get(label, class_title(label, None))


def _value(explanation: Explanation, value: float) -> str:
    number = _number(explanation, value)
    if explanation.predicted is None:
        return number
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def _number(explanation: Explanation, value: float) -> str:
    if explanation.predicted is None:
        return f"{value:.4g}"
    return "< 0.001" if 0 <= value < 0.0005 else f"{value:.3f}"


def _colour_bar(ax: Axes, scale: float, palette: Palette) -> None:
    """A small bar under the picture, coloured as `overlay` colours a white picture."""
    strength = np.linspace(-1, 1, 201)
    supporting, opposing = np.array(PALETTES[palette], dtype=float)
    alpha = OPACITY * np.abs(strength)[:, None]
    colours = 255 * (1 - alpha) + np.where(strength[:, None] > 0, supporting, opposing) * alpha
    bar = ax.inset_axes((0.15, -0.075, 0.7, 0.035))
    bar.imshow(colours[None].astype(np.uint8), aspect="auto", extent=(-scale, scale, 0, 1))
    bar.set_yticks([])
    bar.set_xticks([-scale, 0, scale], [f"−{scale:.2g}", "0", f"+{scale:.2g}"])
    bar.tick_params(labelsize="x-small", length=2, pad=1)
    bar.text(-0.03, 0.5, "against", transform=bar.transAxes, size="x-small", ha="right", va="center")
    bar.text(1.03, 0.5, "for", transform=bar.transAxes, size="x-small", ha="left", va="center")


def _draw_rims(ax: Axes, labels: NDArray[np.generic], width: float) -> None:
    """Lines between pixels of different labels, sharp however much a small image is enlarged."""
    rows, columns = np.nonzero(labels[1:] != labels[:-1])
    lines = [np.stack([columns - 0.5, rows + 0.5, columns + 0.5, rows + 0.5], axis=1)]
    rows, columns = np.nonzero(labels[:, 1:] != labels[:, :-1])
    lines.append(np.stack([columns + 0.5, rows - 0.5, columns + 0.5, rows + 0.5], axis=1))
    segments = list(np.concatenate(lines).reshape(-1, 2, 2))
    for colour, wide in (("black", width + 1.2), ("white", width)):
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=wide, capstyle="round"))


def _inner_points(segmentation: Segmentation) -> list[tuple[int, int]]:
    """A pixel well inside each superpixel, (row, column), far from its rim rather than at its centre of gravity."""
    rim = segmentation.boundaries()
    rim[[0, -1]] = rim[:, [0, -1]] = True
    points = []
    for index in range(segmentation.n_segments):
        inside = segmentation.labels == index
        pixels, edge = np.argwhere(inside), np.argwhere(inside & rim)
        # A few hundred candidates will do for the place of a number.
        pixels, edge = pixels[:: len(pixels) // 400 + 1], edge[:: len(edge) // 400 + 1]
        from_edge = np.sqrt(((pixels[:, None] - edge[None]) ** 2).sum(axis=-1).min(axis=1))
        from_centre = np.sqrt(((pixels - pixels.mean(axis=0)) ** 2).sum(axis=-1))
        row, column = pixels[(from_edge - 0.2 * from_centre).argmax()]
        points.append((int(row), int(column)))
    return points


def _display(explanation: Explanation) -> Callable[[NDArray[np.float32]], NDArray[np.uint8]]:
    """How model input (h, w, c) becomes RGB, read off the explanation's own image and picture.

    The usual conversions are linear: one factor and one shift for all channels, or failing that a matrix.
    """
    pixels = as_pixels(explanation.image).astype(float)
    channels = pixels.shape[-1]
    first_three = [0, 0, 0] if channels == 1 else [0, 1, 2] if channels > 2 else [0, 1, 1]
    inside = ((explanation.picture > 0) & (explanation.picture < 255)).all(axis=-1)
    inside = inside if inside.sum() > 8 else np.ones_like(inside)
    source, target = pixels[inside], explanation.picture[inside].astype(float)

    flat = np.stack([source[:, first_three].ravel(), np.ones(target.size)], axis=1)
    (factor, shift), *_ = np.linalg.lstsq(flat, target.ravel(), rcond=None)
    simple = np.abs(flat @ (factor, shift) - target.ravel()).max() <= 1
    matrix, *_ = np.linalg.lstsq(np.concatenate([source, np.ones((len(source), 1))], axis=1), target, rcond=None)

    def convert(image: NDArray[np.float32]) -> NDArray[np.uint8]:
        shown = image[..., first_three] * factor + shift if simple else image @ matrix[:-1] + matrix[-1]
        rgb: NDArray[np.uint8] = np.round(np.clip(shown, 0, 255)).astype(np.uint8)
        return rgb

    return convert
