"""Audits of models with several inputs: each image keeps its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime import audit
from tests.support.several_inputs import images, metadata, with_metadata

GRID: Any = {"segmentation": "grid", "n_segments": 9, "num_samples": 32, "baseline": "grey", "verbose": 0}


@pytest.mark.parametrize("image_input", [None, "image"])
def test_rows_are_of_each_images_own_inputs(tmp_path: Path, image_input: str | None) -> None:
    model, pixels, rest = with_metadata("dict"), images(6), metadata(6)
    labels = np.arange(6) % 2
    parts = [slice(0, 4), slice(4, 6)]
    batches = [
        ({"image": pixels[part], **{name: rows[part] for name, rows in rest.items()}}, labels[part]) for part in parts
    ]
    few: Any = {"shard_size": 3, "report": False, "targets": "predicted", "image_input": image_input}
    found = audit(model, batches, tmp_path, **few, **GRID)
    rows = found.rows().to_pylist()
    expected = model.predict({"image": pixels, **rest}, verbose=0)
    values = [row["predicted_value"] for row in sorted(rows, key=lambda row: row["position"])]
    np.testing.assert_allclose(values, expected.max(axis=1), atol=1e-5)
