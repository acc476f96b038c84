"""The explainer's settings as readers of a report understand them. May import the standard library."""

from collections.abc import Mapping
from typing import Any

__all__ = ["setting_facts"]

_BASELINES = {
    "mean": "their mean colour",
    "grey": "grey",
    "blur": "the blurred picture",
    "noise": "noise",
    "dataset": "the mean picture",
    "keras_lime.core.reference_images.OtherPictures": "other pictures",
    "others": "other pictures of the data set",
}


def setting_facts(settings: Mapping[str, Any]) -> list[list[str]]:
    """Names and values, those that are known.

    Args:
        settings: the explainer's settings as `Settings.describe` gives them.
    """
    facts = []
    if "segmentation" in settings:
        facts.append(["patches cut by", str(settings["segmentation"])])
    if "baseline" in settings:
        baseline = str(settings["baseline"])
        facts.append(["hidden patches show", _BASELINES.get(baseline, baseline)])
    if "num_samples" in settings:
        facts.append(["questions per picture", str(settings["num_samples"])])
    if "seed" in settings:
        facts.append(["seed", str(settings["seed"])])
    return facts
