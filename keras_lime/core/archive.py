"""One explanation ⇄ one `.npz` file without pickle. May import numpy, the standard library and the core."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.atomic_write import atomic_write
from keras_lime.core.diagnostics import DiagnosticBits
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.scores import Scores
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit

if TYPE_CHECKING:
    from keras_lime.core.explanation import Explanation

__all__ = ["read", "write"]

_FORMAT = 1

_FIT = ("coef", "intercept", "r2", "local_prediction", "stderr", "r2_adjusted")

_PLAIN = ("target_names", "targets", "predicted", "predicted_name", "predicted_value", "label", "name", "step")


def write(explanation: "Explanation", path: Path) -> Path:
    """Writes the file; `Explanation.save` documents it."""
    file = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    neighborhood, scores, fit = explanation.neighborhood, explanation.scores, explanation.fit
    header = {name: getattr(explanation, name) for name in _PLAIN}
    header |= {"format": _FORMAT, "settings": dict(explanation.settings)}
    header |= {"alpha": fit.alpha, "shrinkage": fit.shrinkage}
    arrays: dict[str, Any] = {
        "image": explanation.image,
        "picture": explanation.picture,
        "labels": explanation.segmentation.labels,
        "prediction": explanation.prediction,
        "object_mask": explanation.object_mask,
        "baseline": explanation.baseline,
        **{name: getattr(fit, name) for name in _FIT},
    }
    if neighborhood is not None:
        header["enumerated"] = neighborhood.enumerated
        arrays |= {"masks": neighborhood.masks, "sample_weights": neighborhood.weights, "groups": neighborhood.groups}
    if scores is not None:
        arrays |= {"values": scores.values, "log_odds": scores.log_odds, "saturated": scores.saturated}
    if explanation.second is not None:
        arrays |= {f"second_{name}": getattr(explanation.second, name) for name in _FIT}
    if explanation.diagnostic_bits is not None:
        bits = explanation.diagnostic_bits
        arrays |= {"flags": bits.segments, "caveats": bits.targets}
    present = {name: array for name, array in arrays.items() if array is not None}

    def fill(part: Path) -> None:
        # A file and not its path, to which NumPy would add an ending.
        with part.open("wb") as opened:
            np.savez_compressed(opened, header=np.array(json.dumps(header)), **present)

    atomic_write(file, fill)
    return file


def read(path: Path) -> dict[str, Any]:
    """The fields of the `Explanation` in the file; `Explanation.load` documents it and builds it."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    if "header" not in arrays:
        raise ValueError(f"`path` must be a file written by `Explanation.save()`. Received: {str(path)!r}.")
    header = json.loads(str(arrays["header"]))
    if header["format"] > _FORMAT:
        raise ValueError(f"{str(path)!r} was written by a newer version of keras_lime. Update the package.")
    targets, predicted, predicted_value = tuple(header["targets"]), header["predicted"], header["predicted_value"]
    neighborhood = scores = None
    if "masks" in arrays:
        neighborhood = Neighborhood(
            arrays["masks"], arrays["sample_weights"], header["enumerated"], arrays.get("groups")
        )
    if "values" in arrays:
        scores = Scores(
            targets, arrays["values"], arrays["log_odds"], predicted, predicted_value, arrays.get("saturated")
        )
    quality = {"alpha": header.get("alpha"), "shrinkage": header.get("shrinkage")}
    return {
        "image": arrays["image"],
        "picture": arrays["picture"],
        "segmentation": Segmentation(arrays["labels"]),
        "fit": _fit(arrays, "", quality),
        "targets": targets,
        "target_names": tuple(header["target_names"]),
        "prediction": arrays["prediction"],
        "predicted": predicted,
        "predicted_name": header["predicted_name"],
        "predicted_value": predicted_value,
        "label": header["label"],
        "name": header["name"],
        "step": header["step"],
        "object_mask": arrays.get("object_mask"),
        "settings": header["settings"],
        "neighborhood": neighborhood,
        "baseline": arrays.get("baseline"),
        "scores": scores,
        "second": _fit(arrays, "second_", quality) if "second_coef" in arrays else None,
        "diagnostic_bits": DiagnosticBits(arrays["flags"], arrays["caveats"]) if "flags" in arrays else None,
    }


def _fit(arrays: dict[str, NDArray[Any]], prefix: str, quality: dict[str, float | None]) -> Fit:
    return Fit(**{name: arrays.get(prefix + name) for name in _FIT}, **quality)  # type: ignore[arg-type]
