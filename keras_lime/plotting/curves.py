"""`KernelWidthPath` → a figure of curves. May import matplotlib and the core."""

import numpy as np
from matplotlib.figure import Figure

from keras_lime.core.kernel_path import KernelWidthPath
from keras_lime.core.overlay import select_segments
from keras_lime.plotting.figures import new_figure, shorten

__all__ = ["plot_widths"]

_SIZE = (6.6, 4.2)
"""Inches."""

_CURVES = 8


def plot_widths(path: KernelWidthPath, target: int = 0) -> Figure:
    """Weights against kernel width, with two standard errors on either side.

    Drawn are the superpixels with the largest weights at the explanation's own kernel width (the dotted line) and, with
    stars, those whose sign depends on the kernel width.

    Args:
        path: what to show.
        target: position of the target in `path.target_names`. Defaults to `0`.

    Returns:
        A figure that notebooks and, in scripts, `plt.show()` show, and `savefig` saves.

    Raises:
        ValueError: if there is no such target.
    """
    if not 0 <= target < len(path.target_names):
        raise ValueError(
            f"`target` must be a position in {path.target_names}, from 0 to {len(path.target_names) - 1}. "
            f"Received: target={target!r}."
        )
    own = int(np.abs(path.widths - path.kernel_width).argmin())
    strongest = select_segments(path.coef[own, target], num_features=_CURVES)
    flips = np.flatnonzero(path.sign_flips[target])
    figure = new_figure(figsize=_SIZE, layout="constrained")
    ax = figure.add_subplot()
    for index in sorted({*strongest.tolist(), *flips.tolist()}):
        weights, errors = path.coef[:, target, index], path.stderr[:, target, index]
        starred = index in flips
        name = f"{index} (sign flips)" if starred else str(index)
        (line,) = ax.plot(path.widths, weights, marker="*" if starred else ".", label=name)
        ax.fill_between(path.widths, weights - 2 * errors, weights + 2 * errors, color=line.get_color(), alpha=0.15)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(path.kernel_width, color="black", linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_xticks(path.widths, [f"{width:.3g}" for width in path.widths])
    ax.minorticks_off()
    ax.set_xlabel("kernel width")
    ax.set_ylabel("weight")
    ax.set_title(shorten(path.target_names[target], 60), parse_math=False)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(title="superpixel", loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", frameon=False)
    return figure
