"""What is known of one model before or after a cure, and the receipt of two of them. May import Keras."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.curing.changes import Change, compare
from keras_lime.curing.measure import Examination, Measured, validation_hits
from keras_lime.curing.receipt import Receipt, make_receipt

__all__ = ["Evidence", "gather", "receipt_of"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """One model's measurements.

    Attributes:
        hits: float array (n,), 1 for each validation image that it predicts right, or None where there are none.
        ids: the images' ids.
        measured: at the probes, or None where there are none.
    """

    hits: NDArray[np.float64] | None
    ids: tuple[str, ...]
    measured: Measured | None


def gather(model: Any, validation_data: Any, examination: Examination | None) -> Evidence:
    """Measures a model.

    Args:
        model: a Keras model.
        validation_data: what `fit` takes, or None.
        examination: of the probes, or None.
    """
    hits, ids = (None, ()) if validation_data is None else validation_hits(model, validation_data)
    return Evidence(hits, ids, None if examination is None else examination.measure(model))


def receipt_of(before: Evidence, after: Evidence, seed: int = 0) -> Receipt:
    """Compares two models that were measured with the same images.

    Args:
        before: of the given model.
        after: of the cured one.
        seed: of the bootstrap. Defaults to `0`.

    Raises:
        ValueError: if the validation images are not the same.
    """
    changes: list[Change] = []
    if before.hits is not None and after.hits is not None:
        if before.ids != after.ids:
            raise ValueError(
                "`validation_data` must give the same images in the same order twice, or before and after cannot be "
                "compared. Received: other images at the second reading. Do not shuffle it."
            )
        changes.append(
            compare("accuracy on the validation set", before.hits, after.hits, more_is_better=True, seed=seed)
        )
    first, second = before.measured, after.measured
    if first is None or second is None:
        return make_receipt(changes, (), ())
    if not changes:
        # Probes are few, but a cure that ruins a model must not go unseen.
        changes.append(compare("accuracy on the probes", first.hits, second.hits, more_is_better=True, seed=seed))
    for one, two in zip(first.results, second.results, strict=True):
        if one.findings is None or two.findings is None:
            continue
        later, deciding = two.findings.probe_values, one.findings.deciding
        changes += [
            compare(name, value, later[name], more_is_better=False, test=one.test, decides=name == deciding, seed=seed)
            for name, value in one.findings.probe_values.items()
            if name in later
        ]
    changes.append(
        compare(
            "object share, grey baseline",
            first.object_share,
            second.object_share,
            more_is_better=True,
            test="object share",
            decides=False,
            seed=seed,
        )
    )
    return make_receipt(changes, first.results, second.results)
