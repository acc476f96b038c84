"""What the summary says of each probe, so that a page finds, sorts and counts probes without reading every one.

May import numpy and the core.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.core.localisation import object_share

__all__ = ["probe_columns"]


def probe_columns(explanations: Sequence[Explanation]) -> dict[str, Any]:
    """Values of the summary record, as the schema describes them, in the order of the explanations.

    Args:
        explanations: one epoch's.

    Returns:
        The record's `probe_…` fields by name; of the predicted class where it was explained, else of the first target.
    """
    rows = [each.targets.index(each.predicted) if each.predicted in each.targets else 0 for each in explanations]
    shown = list(zip(explanations, rows, strict=True))
    ids = "\n".join(image_id(explanation.image) for explanation in explanations)
    masked = any(explanation.object_mask is not None for explanation in explanations)
    return {
        "probe_set": hashlib.sha256(ids.encode()).hexdigest()[:16],
        "probe_predicted": [-1 if each.predicted is None else each.predicted for each in explanations],
        "probe_value": [each.predicted_value for each in explanations],
        "probe_share": [object_share(each)[row] for each, row in shown] if masked else None,
        "probe_weight": [np.abs(each.fit.coef[row]).max() for each, row in shown],
        "probe_r2": [each.r2[row] for each, row in shown],
    }
