"""Logs as a training with LimeCallback leaves them, made up from a seed in a second or so.

`write_run` writes one run through the real records and writer; `python tests/synthetic_logs.py DIRECTORY` writes two
runs to look at: `independent/lime`, which learns the object, and `shortcut/lime`, which learns the background.
"""

import argparse
import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, encode, probe_tag, result_tag

CLASS_NAMES = ("stop", "yield", "speed limit", "no entry", "priority")


@dataclass(frozen=True, eq=False)
class SyntheticProbe:
    """One probe: a disc (the object) before a striped background, cut in a grid of superpixels."""

    id: str
    name: str
    label: int
    picture: NDArray[np.uint8]
    segments: NDArray[np.uint16]
    object_mask: NDArray[np.uint8]

    @property
    def object_fraction(self) -> NDArray[np.float32]:
        counts = np.bincount(self.segments.ravel())
        return (np.bincount(self.segments.ravel(), weights=self.object_mask.ravel()) / counts).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Settings:
    """Size and content of a synthetic run."""

    n_probes: int = 16
    epochs: int = 20
    n_segments: int = 48
    n_targets: int = 2
    size: int = 64
    looks_at_object: float = 0.9  # where the run's attention ends: 1 on the object, 0 on the background
    stderr: bool = True
    masks: bool = True
    images: bool = False  # overlays for TensorBoard's own Images tab
    seed: int = 0
    first_epoch: int = 0
    class_names: tuple[str, ...] = CLASS_NAMES
    names: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    header: dict[str, Any] = field(default_factory=dict)  # further manifest entries


def make_probes(settings: Settings) -> list[SyntheticProbe]:
    """Makes the probes of a run; the same seed gives the same probes."""
    probes = []
    size = settings.size
    y, x = np.mgrid[:size, :size]
    rows = max(1, int(np.sqrt(settings.n_segments)))
    columns = -(-settings.n_segments // rows)
    grid = np.minimum(y * rows // size * columns + x * columns // size, settings.n_segments - 1)
    for i in range(settings.n_probes):
        rng = np.random.default_rng([settings.seed, i])
        label = i % len(settings.class_names)
        centre = rng.uniform(0.3, 0.7, size=2) * size
        mask = np.hypot(y - centre[0], x - centre[1]) < rng.uniform(0.15, 0.25) * size
        stripes = 110 + 60 * np.sin(2 * np.pi * (x * np.cos(label) + y * np.sin(label)) * 5 / size)
        picture = np.stack([stripes, stripes * 0.9, stripes * 0.7], axis=-1) + rng.normal(0, 8, (size, size, 3))
        picture[mask] = np.array([(200, 30, 40), (240, 240, 90), (240, 240, 240), (180, 20, 20), (230, 190, 30)])[
            label % 5
        ] + rng.normal(0, 8, (int(mask.sum()), 3))
        pixels = np.clip(picture, 0, 255).astype(np.uint8)
        name = settings.names[i] if settings.names else f"{settings.class_names[label]} {i:02d}"
        identity = settings.ids[i] if settings.ids else hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
        probes.append(SyntheticProbe(identity, name, label, pixels, grid.astype(np.uint16), mask.astype(np.uint8)))
    return probes


def png(picture: NDArray[np.uint8]) -> bytes:
    """Returns an RGB picture (h, w, 3) as PNG bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG")
    return stream.getvalue()


def manifest_parts(settings: Settings, probes: Sequence[SyntheticProbe]) -> list[bytes]:
    """Encodes the manifest of one session."""
    entries = [
        {
            "id": probe.id,
            "name": probe.name,
            "label": probe.label,
            "height": settings.size,
            "width": settings.size,
            "n_segments": int(probe.segments.max()) + 1,
            "chance": float(probe.object_mask.mean()) if settings.masks else None,
        }
        for probe in probes
    ]
    header = {
        "name": "lime",
        "keras_lime": "0.1.0",
        "probes": entries,
        "class_names": list(settings.class_names),
        "output": "softmax",
        "n_outputs": len(settings.class_names),
        "settings": {"segmentation": "slic", "num_samples": 256, "kernel_width": 0.25, "baseline": "mean", "seed": 0},
        "created": "2026-01-01T00:00:00+00:00",
    }
    return encode("manifest", {**header, **settings.header}, {})


def probe_parts(settings: Settings, probe: SyntheticProbe) -> list[bytes]:
    """Encodes the picture, superpixels and object of one probe."""
    header = {
        "id": probe.id,
        "name": probe.name,
        "label": probe.label,
        "height": settings.size,
        "width": settings.size,
        "image_scale": [1.0, 0.0],
    }
    return encode(
        "probe",
        header,
        {
            "picture": np.frombuffer(png(probe.picture), np.uint8),
            "segments": probe.segments,
            "object_mask": probe.object_mask if settings.masks else None,
            "object_fraction": probe.object_fraction if settings.masks else None,
            "image": probe.picture,
        },
    )


def result_arrays(settings: Settings, probe: SyntheticProbe, epoch: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Makes up one result: weights that move from noise to the object (or the background) over some ten epochs."""
    rng = np.random.default_rng([settings.seed, int(probe.segments.max()), probe.label, epoch, hash_of(probe.id)])
    fraction = probe.object_fraction
    d, t = len(fraction), settings.n_targets
    progress = 1 - np.exp(-epoch / 6)
    aim = settings.looks_at_object
    wanted = (
        aim * fraction / max(fraction.sum(), 1e-9) + (1 - aim) * (1 - fraction) / max((1 - fraction).sum(), 1e-9)
    ) * 1.5
    coef = progress * wanted + rng.normal(0, 0.02, d)
    others = -np.outer(rng.uniform(0.2, 0.8, t - 1), coef) + rng.normal(0, 0.02, (t - 1, d))
    coef = np.concatenate([coef[None], others]).astype(np.float32)
    positive = np.maximum(coef, 0)
    total = positive.sum(axis=1)
    share = np.divide(positive @ fraction, total, out=np.full(t, np.nan), where=total > 0)
    probability = 0.2 + 0.75 * progress * (0.4 + 0.6 * aim) + rng.uniform(-0.05, 0.05)
    n_classes = len(settings.class_names)
    right = bool(rng.random() < 0.3 + 0.65 * progress * (0.5 + 0.5 * aim))
    targets = (probe.label + np.arange(t)) % n_classes
    prediction = np.concatenate([[probability], np.full(t - 1, (1 - probability) / max(n_classes - 1, 1))])
    if not right and t > 1:
        prediction[[0, 1]] = prediction[[1, 0]]
    predicted = int(targets[0] if right else targets[1 % t])
    header = {"predicted": predicted, "predicted_value": round(float(prediction.max()), 6)}
    arrays = {
        "targets": targets.astype(np.int32),
        "coef": coef,
        "stderr": np.full((t, d), 0.02, np.float16) if settings.stderr else None,
        "intercept": rng.uniform(0, 0.2, t).astype(np.float32),
        "r2": np.clip(0.4 + 0.5 * progress + rng.normal(0, 0.03, t), 0, 1).astype(np.float32),
        "local_prediction": (prediction + rng.normal(0, 0.02, t)).astype(np.float32),
        "prediction": prediction.astype(np.float32),
        "object_share": share.astype(np.float32) if settings.masks else None,
    }
    if settings.stderr:
        arrays["stderr"] = rng.uniform(0.01, 0.03, (t, d)).astype(np.float16)
    return header, arrays


def hash_of(text: str) -> int:
    """Returns a number that is the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def summary_arrays(
    probes: Sequence[SyntheticProbe], results: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> dict[str, NDArray[Any]]:
    """Averages the first target of one epoch's results, over all probes and by class."""
    labels = np.array([probe.label for probe in probes])
    columns = {
        "object_share": np.array([np.nan if a["object_share"] is None else a["object_share"][0] for _, a in results]),
        "chance": np.array([probe.object_mask.mean() for probe in probes]),
        "r2": np.array([a["r2"][0] for _, a in results]),
        "probability": np.array([a["prediction"][0] for _, a in results]),
        "accuracy": np.array([float(h["predicted"] == p.label) for p, (h, _) in zip(probes, results, strict=True)]),
    }
    class_ids = np.unique(labels)
    arrays: dict[str, NDArray[Any]] = {"class_ids": class_ids.astype(np.int32)}
    for name, column in columns.items():
        arrays["object_chance" if name == "chance" else name] = np.asarray(column.mean(), np.float32)
        arrays[f"class_{name}"] = np.array([column[labels == c].mean() for c in class_ids], np.float32)
    return arrays


def write_epoch(writer: RunWriter, settings: Settings, probes: Sequence[SyntheticProbe], epoch: int) -> None:
    """Writes the records, scalars and pictures of one epoch."""
    results = [result_arrays(settings, probe, epoch) for probe in probes]
    for probe, (header, arrays) in zip(probes, results, strict=True):
        writer.record(result_tag(probe.id), epoch, encode("result", header, arrays))
    summary = summary_arrays(probes, results)
    writer.record(SUMMARY_TAG, epoch, encode("summary", {}, summary))
    for name in ("object_share", "r2", "probability"):
        writer.scalar(name, epoch, float(summary[name]))
    if settings.images:
        for probe in probes[:8]:
            writer.image(f"lime/{probe.name}", epoch, png(probe.picture), settings.size, settings.size)
    writer.flush()


def write_run(directory: str | Path, settings: Settings | None = None, pause: float = 0.0) -> list[SyntheticProbe]:
    """Writes one session of a run.

    Args:
        directory: Directory of the run, such as `logs/independent/lime`.
        settings: Size and content of the run.
        pause: Seconds to wait after each epoch, to watch a run that is still being written.

    Returns:
        The probes.
    """
    settings = settings or Settings()
    probes = make_probes(settings)
    with RunWriter(directory) as writer:
        writer.session_start(settings.first_epoch)
        writer.record(MANIFEST_TAG, settings.first_epoch, manifest_parts(settings, probes))
        for probe in probes:
            writer.record(probe_tag(probe.id), settings.first_epoch, probe_parts(settings, probe))
        for epoch in range(settings.first_epoch, settings.first_epoch + settings.epochs):
            write_epoch(writer, settings, probes, epoch)
            time.sleep(pause)
    return probes


def main() -> None:
    """Writes the two runs that the module's docstring names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    for name in ("n_probes", "epochs", "n_segments", "n_targets", "size"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Settings, name))
    parser.add_argument("--images", action="store_true", help="also write pictures for the Images tab")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds to wait after each epoch")
    arguments = vars(parser.parse_args())
    directory, pause = arguments.pop("directory"), arguments.pop("pause")
    for run, looks_at_object in (("independent", 0.9), ("shortcut", 0.15)):
        write_run(directory / run / "lime", Settings(looks_at_object=looks_at_object, **arguments), pause)


if __name__ == "__main__":
    main()
