"""Logs as a training with LimeCallback leaves them, made up from a seed in a second or so.

`write_run` writes one run through the real builders, records and writer. `python -m tests.support.synthetic_logs
DIRECTORY` writes two runs to look at: `independent/lime` learns the object, `shortcut/lime` the background.
"""

import argparse
import hashlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.pipeline import Subject
from keras_lime.core.plan import Plan
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit
from keras_lime.shortcut import summarise
from keras_lime.tensorboard.logging import log
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, decode, encode, probe_tag, result_tag

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

    @property
    def plan(self) -> Plan:
        """What a plan says of it: picture and superpixels; nothing is perturbed."""
        segmentation = Segmentation(self.segments.astype(np.int32))
        nothing = Neighborhood(np.ones((1, segmentation.n_segments), bool), np.ones(1))
        return Plan(self.picture, self.picture, segmentation, nothing, self.picture.astype(np.float32))

    def subject(self, masks: bool) -> Subject:
        """Who it is."""
        return Subject(self.name, self.label, self.name, self.object_mask.astype(bool) if masks else None)


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
    class_names: tuple[str, ...] | None = CLASS_NAMES
    n_classes: int = len(CLASS_NAMES)
    regression: bool = False
    older: bool = False  # without what later versions added
    names: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None

    @property
    def n_outputs(self) -> int:
        return self.n_classes if self.class_names is None else len(self.class_names)


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
        label = i % settings.n_outputs
        centre = rng.uniform(0.3, 0.7, size=2) * size
        mask = np.hypot(y - centre[0], x - centre[1]) < rng.uniform(0.15, 0.25) * size
        stripes = 110 + 60 * np.sin(2 * np.pi * (x * np.cos(label) + y * np.sin(label)) * 5 / size)
        picture = np.stack([stripes, stripes * 0.9, stripes * 0.7], axis=-1) + rng.normal(0, 8, (size, size, 3))
        picture[mask] = np.array([(200, 30, 40), (240, 240, 90), (240, 240, 240), (180, 20, 20), (230, 190, 30)])[
            label % 5
        ] + rng.normal(0, 8, (int(mask.sum()), 3))
        pixels = np.clip(picture, 0, 255).astype(np.uint8)
        name = settings.names[i] if settings.names else f"{CLASS_NAMES[label % 5]} {i:02d}"
        identity = settings.ids[i] if settings.ids else image_id(pixels)
        probes.append(SyntheticProbe(identity, name, label, pixels, grid.astype(np.uint16), mask.astype(np.uint8)))
    return probes


def png(picture: NDArray[np.uint8]) -> bytes:
    """Returns an RGB picture (h, w, 3) as PNG bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG")
    return stream.getvalue()


def manifest_parts(settings: Settings, probes: Sequence[SyntheticProbe]) -> list[bytes]:
    """Encodes the manifest of one session."""
    about = {
        "name": "lime",
        "class_names": settings.class_names,
        "output": "regression" if settings.regression else "softmax",
        "n_outputs": settings.n_outputs,
        "settings": {"segmentation": "slic", "num_samples": 256, "kernel_width": 0.25, "baseline": "mean", "seed": 0},
    }
    subjects = [probe.subject(settings.masks) for probe in probes]
    parts = log.manifest_parts(about, [probe.plan for probe in probes], subjects)
    header = json.loads(parts[0])
    for entry, probe in zip(header["probes"], probes, strict=True):
        entry["id"] = probe.id
    header["created"] = "2026-01-01T00:00:00+00:00"
    return [json.dumps(header).encode(), *parts[1:]]


def probe_parts(settings: Settings, probe: SyntheticProbe) -> list[bytes]:
    """Encodes the picture, superpixels and object of one probe."""
    return log.probe_parts(probe.plan, probe.subject(settings.masks))


def result_arrays(settings: Settings, probe: SyntheticProbe, epoch: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and arrays of one result, as they are logged."""
    record = decode(log.result_parts(explanation_of(settings, probe, epoch)))
    return dict(record.header), dict(record.arrays)


def explanation_of(settings: Settings, probe: SyntheticProbe, epoch: int) -> Explanation:
    """Makes up one explanation: weights that move from noise to the object (or the background) over some ten epochs."""
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
    coef = np.concatenate([coef[None], others]).astype(np.float64)
    probability = 0.2 + 0.75 * progress * (0.4 + 0.6 * aim) + rng.uniform(-0.05, 0.05)
    n_classes = settings.n_outputs
    right = bool(rng.random() < 0.3 + 0.65 * progress * (0.5 + 0.5 * aim))
    targets = (probe.label + np.arange(t)) % n_classes
    prediction = np.concatenate([[probability], np.full(t - 1, (1 - probability) / max(n_classes - 1, 1))])
    if not right and t > 1:
        prediction[[0, 1]] = prediction[[1, 0]]
    predicted = int(targets[0] if right else targets[1 % t])
    names = settings.class_names or tuple(f"class {index}" for index in range(n_classes))
    fit = Fit(
        coef=coef,
        intercept=rng.uniform(0, 0.2, t),
        r2=np.clip(0.4 + 0.5 * progress + rng.normal(0, 0.03, t), 0, 1),
        local_prediction=prediction + rng.normal(0, 0.02, t),
        stderr=rng.uniform(0.01, 0.03, (t, d)) if settings.stderr else None,
    )
    return Explanation(
        image=probe.picture,
        picture=probe.picture,
        segmentation=Segmentation(probe.segments.astype(np.int32)),
        fit=fit,
        targets=tuple(targets.tolist()),
        target_names=tuple(names[target] for target in targets),
        prediction=prediction,
        predicted=None if settings.regression else predicted,
        predicted_name=None if settings.regression else names[predicted],
        predicted_value=float(prediction[0] if settings.regression else prediction.max()),
        label=probe.label,
        name=probe.name,
        step=epoch,
        object_mask=probe.object_mask.astype(bool) if settings.masks else None,
    )


def hash_of(text: str) -> int:
    """Returns a number that is the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def summary_of(settings: Settings, probes: Sequence[SyntheticProbe], epoch: int) -> dict[str, Any]:
    """The arrays of one epoch's summary, as they are logged."""
    explanations = [explanation_of(settings, probe, epoch) for probe in probes]
    return dict(decode(log.summary_parts(summarise(explanations))).arrays)


def without(parts: Sequence[bytes], ending: str) -> list[bytes]:
    """A record without the arrays whose names end so."""
    record = decode(parts)
    return encode(record.kind, record.header, {k: v for k, v in record.arrays.items() if not k.endswith(ending)})


def write_epoch(writer: RunWriter, settings: Settings, probes: Sequence[SyntheticProbe], epoch: int) -> None:
    """Writes the records, scalars and pictures of one epoch."""
    explanations = [explanation_of(settings, probe, epoch) for probe in probes]
    for probe, explanation in zip(probes, explanations, strict=True):
        writer.record(result_tag(probe.id), epoch, log.result_parts(explanation))
    summary = summarise(explanations)
    parts = log.summary_parts(summary, explanations=() if settings.older else explanations)
    writer.record(SUMMARY_TAG, epoch, without(parts, "object_share_stderr") if settings.older else parts)
    for name in ("object_share", "r2", "probability"):
        value = getattr(summary.overall, name)
        if np.isfinite(value):
            writer.scalar(name, epoch, value)
    if settings.images:
        for probe in probes[:8]:
            writer.image(f"lime/{probe.name}", epoch, png(probe.picture), settings.size, settings.size)
    writer.flush()


def write_run(directory: str | Path, settings: Settings | None = None, pause: float = 0.0) -> list[SyntheticProbe]:
    """Writes one session of a run.

    Args:
        directory: directory of the run, such as `logs/independent/lime`.
        settings: size and content of the run.
        pause: seconds to wait after each epoch, to watch a run that is still being written.

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


def raise_alarm(directory: Path, steps: Sequence[int], sentence: str) -> None:
    """Logs the summaries of some epochs of a run again, with a shortcut alarm."""
    (run,) = logged_runs(directory)
    with RunWriter(directory) as writer:
        for step, record in run.series(SUMMARY_TAG):
            if step in steps:
                found = {"alarm": True, "began": step, "words": sentence, "readings": [], "unmeasured": []}
                header = {**record.header, "shortcut": found}
                writer.record(SUMMARY_TAG, step, encode("summary", header, record.arrays))


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
