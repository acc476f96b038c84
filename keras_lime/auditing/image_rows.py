"""An image that was audited → its rows and its entry among the pictures. May import numpy, the core and `storage`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import Item
from keras_lime.auditing.storage.image_codec import encode_image, encode_mask, encode_segments
from keras_lime.auditing.visual_words.descriptors import describe_segments
from keras_lime.core.class_names import class_title
from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share
from keras_lime.core.plan import Plan

__all__ = ["AuditedImage", "by_column", "image_rows", "picture_row"]

_SWAP_COLUMNS = ("swap_flip", "background_certainty", "object_certainty")


@dataclass(eq=False)
class AuditedImage:
    """An image on its way through the audit: what is known so far.

    Attributes:
        item: the image as it is stored.
        label: its true class, or None.
        image_id: names its content; None if it could not be read.
        plan: its superpixels and perturbations.
        mask: bool array (h, w), True on the object.
        explanation: what was found.
        error: why there is no explanation.
        swap: share of changed predictions on other backgrounds, certainty of the background and of the object alone.
    """

    item: Item
    label: int | None = None
    image_id: str | None = None
    plan: Plan | None = None
    mask: NDArray[np.bool_] | None = None
    explanation: Explanation | None = None
    error: str | None = None
    swap: tuple[float, float, float] | None = None


def image_rows(image: AuditedImage, class_names: tuple[str, ...] | None) -> Iterator[dict[str, Any]]:
    """A row per target, or one for an image that failed; columns that are missing are null."""
    item, explanation = image.item, image.explanation
    common: dict[str, Any] = {
        "position": item.position,
        "image_id": image.image_id,
        "path": item.path,
        "label": image.label,
        "label_name": None if image.label is None else class_title(image.label, class_names),
        "error": image.error,
    }
    if explanation is None:
        yield common
        return
    common |= _of_image(image, explanation)
    shares, fit, bits = object_share(explanation), explanation.fit, explanation.diagnostic_bits
    for index, (target, name) in enumerate(zip(explanation.targets, explanation.target_names, strict=True)):
        yield common | {
            "target": target,
            "target_name": name,
            "probability": float(explanation.prediction[index]),
            "r2": _finite(explanation.r2[index]),
            "intercept": float(fit.intercept[index]),
            "local_prediction": float(fit.local_prediction[index]),
            "target_diagnostics": 0 if bits is None else int(bits.targets[index]),
            "object_share": _finite(shares[index]),
            "weights": fit.coef[index].astype(np.float32),
            "stderr": None if fit.stderr is None else fit.stderr[index].astype(np.float32),
            "segment_diagnostics": None if bits is None else bits.segments[index],
        }


def picture_row(image: AuditedImage) -> dict[str, Any]:
    """What is needed to draw an image that has a plan."""
    plan = image.plan
    if plan is None:
        raise ValueError(f"Image {image.item.position} has no plan.")
    height, width = plan.segmentation.labels.shape
    return {
        "position": image.item.position,
        "image_id": image.image_id,
        "height": height,
        "width": width,
        "picture": encode_image(plan.picture),
        "segments": encode_segments(plan.segmentation.labels),
        "object_mask": None if image.mask is None else encode_mask(image.mask),
    }


def by_column(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Rows as columns, None where a row has no value."""
    return {name: [row.get(name) for row in rows] for name in names}


def _of_image(image: AuditedImage, explanation: Explanation) -> dict[str, Any]:
    """What is the same for all targets of an image."""
    segmentation = explanation.segmentation
    looks = describe_segments(explanation.picture, segmentation)
    inside = None if image.mask is None else segmentation.share_inside(image.mask).astype(np.float32)
    swap = {} if image.swap is None else dict(zip(_SWAP_COLUMNS, image.swap, strict=True))
    return swap | {
        "predicted": explanation.predicted,
        "predicted_name": explanation.predicted_name,
        "predicted_value": explanation.predicted_value,
        "effective_samples": explanation.fidelity.effective_samples,
        "num_samples": explanation.num_samples,
        "object_chance": None if image.mask is None else float(image.mask.mean()),
        "n_segments": segmentation.n_segments,
        "segment_area": looks.area,
        "segment_y": looks.y,
        "segment_x": looks.x,
        "segment_at_border": looks.at_border,
        "segment_lightness": looks.lightness,
        "segment_a": looks.a,
        "segment_b": looks.b,
        "segment_spread": looks.spread,
        "segment_texture": looks.texture,
        "segment_upright": looks.upright,
        "segment_slanted": looks.slanted,
        "segment_on_object": inside,
    }


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
