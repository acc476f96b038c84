"""One explanation ⇄ one `.npz` file without pickle. May import numpy, the standard library and the core.

A file may come from anywhere: members are bounded in size before they are read, only known ones are read, and shapes
and types are checked before anything is built of them.
"""

import errno
import json
import zipfile
from collections.abc import Mapping
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

_MOST_BYTES = 1 << 32
"""Of all arrays of a file together, uncompressed."""

_MOST_HEADER_BYTES = 1 << 24

_FIT = ("coef", "intercept", "r2", "local_prediction", "stderr", "r2_adjusted")

_PLAIN = ("target_names", "targets", "predicted", "predicted_name", "predicted_value", "label", "name", "step")

_WEIGHTS, _TARGETS, _SCORES = ("targets", "segments"), ("targets",), ("samples", "targets")

_ARRAYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "picture": ("u", ("height", "width", "rgb")),
    "labels": ("iu", ("height", "width")),
    "coef": ("f", _WEIGHTS),
    "stderr": ("f", _WEIGHTS),
    "intercept": ("f", _TARGETS),
    "r2": ("f", _TARGETS),
    "r2_adjusted": ("f", _TARGETS),
    "local_prediction": ("f", _TARGETS),
    "prediction": ("f", _TARGETS),
    "object_mask": ("b", ("height", "width")),
    "baseline": ("f", ("height", "width", "channels")),
    "masks": ("b", ("samples", "segments")),
    "sample_weights": ("f", ("samples",)),
    "groups": ("i", ("samples",)),
    "dummies": ("b", ("samples", "dummies")),
    "values": ("f", _SCORES),
    "log_odds": ("f", _SCORES),
    "saturated": ("b", _SCORES),
    "asked": ("b", ("samples",)),
    "flags": ("u", _WEIGHTS),
    "caveats": ("u", _TARGETS),
}
"""Kinds of dtype and axes of every array beside the image; those of `second_*` are those of the first fit."""

_NEEDED = ("image", "picture", "labels", "coef", "intercept", "r2", "local_prediction", "prediction")


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
        header |= {"enumerated": neighborhood.enumerated, "unseen": neighborhood.unseen}
        arrays |= {"masks": neighborhood.masks, "sample_weights": neighborhood.weights}
        arrays |= {"groups": neighborhood.groups, "dummies": neighborhood.dummies}
    if scores is not None:
        arrays |= {"values": scores.values, "log_odds": scores.log_odds}
        arrays |= {"saturated": scores.saturated, "asked": scores.asked}
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
    try:
        header, arrays = _read(path)
        _check(header, arrays)
        return _fields(header, arrays)
    except OSError as error:
        # What the operating system says is wrong is no matter of content, but for a place that damage leads to.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise _no_explanation(path, error) from None
    except _NewerFormatError:
        raise ValueError(
            f"`path` was written by a newer version of keras_lime. Received: {str(path)!r}. Update the package."
        ) from None
    except Exception as error:  # zipfile, zlib, json and NumPy raise a dozen kinds for damaged files
        raise _no_explanation(path, error) from None


class _NewerFormatError(Exception):
    """The file's format is one that this version does not know."""


def _no_explanation(path: Path, error: Exception) -> ValueError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return ValueError(
        f"`path` must be a file written by `Explanation.save()`. Received: {str(path)!r}, which is damaged or is "
        f"something else ({reason})."
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the known arrays, with bounds on what they may take in memory."""
    known = {"image", *_ARRAYS, *(f"second_{name}" for name in _FIT)}
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
    if sizes.get("header", _MOST_HEADER_BYTES) >= _MOST_HEADER_BYTES:
        raise ValueError("it has no header, or one that is too large")
    if sum(size for name, size in sizes.items() if name in known) > _MOST_BYTES:
        raise ValueError(f"its arrays are larger than {_MOST_BYTES >> 30} GiB")
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
        if header["format"] > _FORMAT:
            raise _NewerFormatError
        return header, {name: file[name] for name in file.files if name in known}


def _check(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError, or another error of a wrong type, for what is no explanation."""
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    image, labels, coef = arrays["image"], arrays["labels"], arrays["coef"]
    if image.dtype.kind not in "biuf" or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"image has shape {image.shape} and dtype {image.dtype}")
    sizes = {"height": image.shape[0], "width": image.shape[1], "rgb": 3}
    sizes |= {"channels": 1 if image.ndim == 2 else image.shape[2]}
    sizes |= {"targets": len(header["targets"]), "segments": int(labels.max()) + 1}
    sizes["samples"] = len(arrays["masks"]) if "masks" in arrays else -1
    sizes["dummies"] = arrays["dummies"].shape[-1] if "dummies" in arrays else -1
    if not len(header["target_names"]) == len(header["targets"]) == len(coef) > 0:
        raise ValueError("targets, their names and weights differ in number")
    if labels.min() < 0 or len(np.unique(labels)) != sizes["segments"]:
        raise ValueError("labels are not numbered from 0 on without gaps")
    for name, array in arrays.items():
        kinds, axes = _ARRAYS.get(name.removeprefix("second_"), ("", ()))
        if axes and (array.shape != tuple(sizes[axis] for axis in axes) or array.dtype.kind not in kinds):
            raise ValueError(f"{name} has shape {array.shape} and dtype {array.dtype}")


def _fields(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    targets, predicted, predicted_value = tuple(header["targets"]), header["predicted"], header["predicted_value"]
    neighborhood = scores = None
    if "masks" in arrays:
        neighborhood = Neighborhood(
            arrays["masks"],
            arrays["sample_weights"],
            header["enumerated"],
            arrays.get("groups"),
            arrays.get("dummies"),
            header.get("unseen", 1.0),
        )
    if "values" in arrays:
        scores = Scores(
            targets,
            arrays["values"],
            arrays["log_odds"],
            predicted,
            predicted_value,
            arrays.get("saturated"),
            arrays.get("asked"),
        )
    bits = DiagnosticBits(arrays["flags"], arrays["caveats"].astype(np.uint16)) if "flags" in arrays else None
    plain = {name: header[name] for name in _PLAIN}
    return plain | {
        "image": arrays["image"],
        "picture": arrays["picture"],
        "segmentation": Segmentation(arrays["labels"]),
        "fit": _fit(header, arrays, ""),
        "targets": targets,
        "target_names": tuple(header["target_names"]),
        "prediction": arrays["prediction"],
        "object_mask": arrays.get("object_mask"),
        "settings": header["settings"],
        "neighborhood": neighborhood,
        "baseline": arrays.get("baseline"),
        "scores": scores,
        "second": _fit(header, arrays, "second_") if "second_coef" in arrays else None,
        "diagnostic_bits": bits,
    }


def _fit(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str) -> Fit:
    values: dict[str, Any] = {name: arrays.get(prefix + name) for name in _FIT}
    return Fit(**values, alpha=header.get("alpha"), shrinkage=header.get("shrinkage"))
