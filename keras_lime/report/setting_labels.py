"""The explainer's settings as readers of a report understand them. May import the core."""

from collections.abc import Mapping
from typing import Any

from keras_lime.core.baseline import baseline_label

__all__ = ["setting_facts"]


def setting_facts(settings: Mapping[str, Any]) -> list[list[str]]:
    """Names and values, those that are known.

    Args:
        settings: the explainer's settings as `Settings.describe` gives them.
    """
    facts = []
    if "segmentation" in settings:
        facts.append(["patches cut by", str(settings["segmentation"])])
    if "baseline" in settings:
        facts.append(["hidden patches show", baseline_label(settings["baseline"])])
    if "num_samples" in settings:
        facts.append(["questions per picture", str(settings["num_samples"])])
    if "seed" in settings:
        facts.append(["seed", str(settings["seed"])])
    return facts
