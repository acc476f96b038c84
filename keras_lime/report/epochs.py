"""A run's epochs for the report: curves of what was measured, and the weights of each image at each epoch.

May import numpy, `tensorboard.plugin` and the modules beside it.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.tensorboard.plugin.event_files import LoggedRun
from keras_lime.tensorboard.records import SUMMARY_TAG, Record, result_tag

__all__ = ["alarms", "curves", "finite", "summary_value", "weights_over_epochs"]

_MOST_EPOCHS = 60
"""Epochs of an image that are kept; of more, some evenly spaced ones, the first and the last among them."""

_CURVES = (
    ("right", "accuracy", None, None),
    ("predictions that follow the class of the background", "reliance", "reliance_stderr", None),
    ("predictions that change with the background", "swap_flip", "swap_flip_stderr", None),
    ("evidence on the object", "object_share", "object_share_stderr", "object_chance"),
    ("R²", "r2", None, None),
)
"""Name, number of the summary, its standard error and what chance would give."""

_STEPS = 32_000
"""Weights travel as whole numbers of 16 bits, in so many steps each side of zero."""


def curves(run: LoggedRun) -> list[dict[str, Any]]:
    """The numbers of a run over its epochs, those that were measured at least once.

    Returns:
        For each `name`, `epochs`, `values`, `errors` and `chance`, with null for what is not known.
    """
    records = run.series(SUMMARY_TAG)
    found = []
    for name, value, error, chance in _CURVES:
        values = [summary_value(record, value) for _, record in records]
        if all(each is None for each in values):
            continue
        found.append(
            {
                "name": name,
                "epochs": [step for step, _ in records],
                "values": values,
                "errors": None if error is None else [summary_value(record, error) for _, record in records],
                "chance": None if chance is None else [summary_value(record, chance) for _, record in records],
            }
        )
    return found


def alarms(run: LoggedRun) -> list[dict[str, Any]]:
    """What the shortcut tests raised: each alarm with the epoch at which it was on first, in that order."""
    found: dict[str, int] = {}
    for step, record in run.series(SUMMARY_TAG):
        said = record.header.get("shortcut")
        if isinstance(said, Mapping) and said.get("alarm") is True:
            found.setdefault(str(said.get("words")), step)
    return [{"epoch": step, "sentence": sentence} for sentence, step in found.items()]


def weights_over_epochs(
    run: LoggedRun, probe_id: str, n_segments: int, class_names: Sequence[str]
) -> dict[str, Any] | None:
    """The weights of an image at each epoch that can be read, those of the predicted class.

    Args:
        run: the run.
        probe_id: of the image.
        n_segments: number of its superpixels.
        class_names: names of the outputs.

    Returns:
        `epochs`, `predicted`, `values`, `targets`, `r2`, one entry an epoch; `weights`, base64 of their int16 numbers
        (n_epochs, n_segments), little-endian, which are to be multiplied by `scale`. None if there are fewer than two.
    """
    rows = [
        (step, record, chosen)
        for step, record in run.series(result_tag(probe_id))
        if (chosen := chosen_row(record, n_segments)) is not None
    ]
    if len(rows) > _MOST_EPOCHS:
        kept = np.unique(np.linspace(0, len(rows) - 1, _MOST_EPOCHS).round().astype(int))
        rows = [rows[place] for place in kept]
    if len(rows) < 2:
        return None
    weights = np.stack([chosen.weights for _, _, chosen in rows]).astype(np.float64)
    scale = float(np.abs(weights).max()) / _STEPS or 1.0
    return {
        "epochs": [step for step, _, _ in rows],
        "predicted": [_title(record.header.get("predicted"), class_names) for _, record, _ in rows],
        "values": [finite(record.header.get("predicted_value")) for _, record, _ in rows],
        "targets": [_title(chosen.target, class_names) for _, _, chosen in rows],
        "r2": [chosen.r2 for _, _, chosen in rows],
        "scale": scale,
        "weights": base64.b64encode(np.rint(weights / scale).astype("<i2").tobytes()).decode(),
    }


class ChosenRow:
    """One target of a result: the predicted class where it was explained, else the first.

    Attributes:
        index: its place among the targets.
        target: the output.
        weights: (n_segments,), NaN as 0.
        stderr: their standard errors, or None.
        r2: of the surrogate, or None.
    """

    def __init__(self, record: Record, targets: NDArray[Any], coef: NDArray[Any]) -> None:
        predicted = record.header.get("predicted")
        here = np.flatnonzero(targets == predicted) if isinstance(predicted, int) else np.zeros(0, int)
        self.index = int(here[0]) if len(here) else 0
        self.target = int(targets[self.index])
        self.weights: NDArray[Any] = np.nan_to_num(coef[self.index], posinf=0, neginf=0)
        stderr, r2 = record.array("stderr"), record.array("r2")
        self.stderr = stderr[self.index] if stderr is not None and stderr.shape == coef.shape else None
        self.r2 = finite(r2[self.index]) if r2 is not None and r2.shape == targets.shape else None


def chosen_row(record: Record, n_segments: int) -> ChosenRow | None:
    """What a report shows of a result; None if it does not fit the image's superpixels."""
    targets, coef = record.array("targets"), record.array("coef")
    if targets is None or coef is None or targets.ndim != 1 or not len(targets):
        return None
    return ChosenRow(record, targets, coef) if coef.shape == (len(targets), n_segments) else None


def summary_value(record: Record, name: str, place: int | None = None) -> float | None:
    """A number of a summary, None if it is missing or not finite."""
    array = record.array(name)
    if array is None or (place is None and array.shape != ()) or (place is not None and place >= len(array)):
        return None
    return finite(array if place is None else array[place])


def finite(value: Any) -> float | None:
    """A number with six digits that count, None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return float(f"{number:.6g}") if np.isfinite(number) else None


def _title(index: Any, class_names: Sequence[str]) -> str | None:
    return class_title(index, class_names) if isinstance(index, int) else None
