"""The explainer's settings as readers of a report understand them. May import the core."""

from collections.abc import Mapping
from typing import Any

from keras_lime.core.baseline import baseline_label

__all__ = ["setting_labels"]


def setting_labels(settings: Mapping[str, Any]) -> list[list[str]]:
    """Names and values, those that are known.

    Args:
        settings: the explainer's settings as `Settings.describe` gives them.
    """
    labels = []
    if "segmentation" in settings:
        labels.append(["superpixels by", str(settings["segmentation"])])
    if "baseline" in settings:
        labels.append(["hidden superpixels show", baseline_label(settings["baseline"])])
    if "num_samples" in settings:
        labels.append(["samples per image", str(settings["num_samples"])])
    if "seed" in settings:
        labels.append(["seed", str(settings["seed"])])
    return labels
