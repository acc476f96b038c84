"""The golden overlays that the page's unit tests draw are Python's own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime.core.overlay import overlay, select_segments
from keras_lime.core.segmentation import Segmentation

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "keras_lime/tensorboard/frontend/test/overlay.golden.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_python_draws_the_golden_overlays(case: dict[str, Any]) -> None:
    shape = (case["height"], case["width"])
    weights = np.array([np.nan if weight is None else weight for weight in case["weights"]])
    options = case["drawing"]
    selected = select_segments(
        weights,
        positive=options["positive"],
        negative=options["negative"],
        num_features=options["numFeatures"],
        min_weight=options["minWeight"],
    )
    drawn = overlay(
        np.array(case["picture"], np.uint8).reshape(*shape, 3),
        Segmentation(np.array(case["labels"], np.int32).reshape(shape)),
        weights,
        selected,
        opacity=options["opacity"],
        scale=options["scale"],
        palette=options["palette"],
        style=options["style"],
        boundaries=options["boundaries"],
        hide_rest=options["hideRest"],
        ground=options.get("ground", "picture"),
        outlined=options.get("outlined", 0),
        hatched=None if "hatched" not in case else np.array(case["hatched"], bool),
        faint=None if "faint" not in case else np.array(case["faint"], bool),
    )
    assert drawn.ravel().tolist() == case["expected"]
