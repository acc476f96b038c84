"""One network: how much it leans on the planted trace, against what the shortcut tests say of it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from networks import build
from numpy.typing import NDArray
from worlds import SIDE, Drawn, World, draw

from keras_lime.scoring import make_scorer
from keras_lime.shortcut.decision import least_accuracy
from keras_lime.shortcut.monitor import ShortcutMonitor

__all__ = ["MATERIALS", "Outcome", "Trial", "run_trial"]

MATERIALS = ("estimated, 60", "masks, 60", "boxes, 60", "estimated, 30")
"""What the tests get: outlines, and how many probes."""

_TEST = 300


@dataclass(frozen=True)
class Trial:
    """What is trained.

    Attributes:
        world: index in `WORLDS`.
        architecture: of the network.
        correlation: how often the trace is that of the class; 0 for a clean network: by chance.
        n_images: images to train on.
        epochs: of the training.
        seed: of images and weights.
    """

    world: int
    architecture: str
    correlation: float
    n_images: int
    epochs: int
    seed: int

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.world} {self.architecture} {self.correlation:g} {self.n_images} {self.epochs} {self.seed}"


@dataclass
class Outcome:
    """What became of it.

    Attributes:
        trial: its key.
        kind: of the world; `variant`: its name; `set_aside`: see `World`.
        clean: whether nothing was planted.
        accuracy: on held-out images without a trace that goes with the class.
        reliance: accuracy lost where the trace is another class's.
        early: by material which tests were in alarm at the second epoch that counts; `late`: at the last.
        early_reliance: the reliance at that second epoch; NaN where it was not reached.
        scores: by material the measured reliance, at the last epoch.
        markers: by material the measured strength of markers, at the last epoch.
        seconds: CPU time.
    """

    trial: str
    kind: str
    variant: str
    set_aside: bool
    clean: bool
    accuracy: float = 0.0
    reliance: float = 0.0
    early: dict[str, list[str]] = field(default_factory=dict)
    late: dict[str, list[str]] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    markers: dict[str, float] = field(default_factory=dict)
    early_reliance: float = float("nan")
    seconds: float = 0.0


def run_trial(trial: Trial, world: World) -> Outcome:
    """Trains a network and tests it at the first two epochs that count and at the last two."""
    started = time.process_time()
    clean = trial.correlation == 0
    outcome = Outcome(trial.key, world.kind, world.name, world.set_aside, clean)
    correlation = 1 / world.n_classes if clean else trial.correlation
    data = draw(world, trial.n_images, trial.seed, correlation=correlation)
    probes = draw(world, 60, trial.seed + 1000, correlation=correlation)
    keras.utils.set_random_seed(trial.seed)
    model = build(trial.architecture, SIDE, world.n_classes)
    tests = _Tests(model, dict(_monitors(probes)), world, trial)
    watch = keras.callbacks.LambdaCallback(on_epoch_end=tests.measure)
    model.fit(data.images, data.labels, batch_size=16, epochs=trial.epochs, verbose=0, callbacks=[watch])
    outcome.early, outcome.late = tests.early or tests.late, tests.late
    outcome.scores, outcome.markers = tests.scores, tests.markers
    outcome.early_reliance = tests.early_reliance
    outcome.accuracy, outcome.reliance = _truth(model, world, trial)
    outcome.seconds = time.process_time() - started
    return outcome


def _monitors(probes: Drawn) -> Iterator[tuple[str, tuple[int, ShortcutMonitor]]]:
    boxes = np.zeros_like(probes.masks)
    for box, mask in zip(boxes, probes.masks, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    masks = {"estimated": None, "masks": probes.masks, "boxes": boxes}
    images = probes.images.astype(np.float32)
    for material in MATERIALS:
        kind, n = material.split(", ")
        given, first = masks[kind], slice(0, int(n))
        yield (
            material,
            (
                int(n),
                ShortcutMonitor(
                    images[first],
                    probes.labels[first],
                    None if given is None else given[first],
                    outlines="estimate" if given is None else None,
                ),
            ),
        )


class _Tests:
    """Asks the monitors, as `LimeCallback` does, at the epochs that the table is about."""

    def __init__(
        self, model: keras.Model, monitors: dict[str, tuple[int, ShortcutMonitor]], world: World, trial: Trial
    ) -> None:
        self._network, self._monitors, self._world, self._trial = model, monitors, world, trial
        self._counted = 0
        self.early_reliance = float("nan")
        self.early: dict[str, list[str]] = {}
        self.late: dict[str, list[str]] = {}
        self.scores: dict[str, float] = {}
        self.markers: dict[str, float] = {}

    def measure(self, epoch: int, logs: Any = None) -> None:
        """Tests, if the epoch is one of the first two that count or of the last two."""
        self._counted += (logs or {}).get("accuracy", 0) >= least_accuracy(self._world.n_classes)
        if not (1 <= self._counted <= 2 or epoch >= self._trial.epochs - 2):
            return
        if self._counted == 2 and not self.early:
            self.early_reliance = _truth(self._network, self._world, self._trial)[1]
        scorer = make_scorer(self._network, (SIDE, SIDE, 3), "softmax", None, None)
        for material, (_, monitor) in self._monitors.items():
            probes = monitor.prepare()
            predicted = scorer.score_images(probes.images)
            tests = monitor.test(epoch, scorer, predicted.argmax(axis=1).tolist(), predicted.max(axis=1).tolist(), logs)
            alarms = sorted({measurement.test for measurement in tests.verdict.measurements})
            if self._counted == 2 and material not in self.early:
                self.early[material] = alarms
            self.late[material] = alarms
            told = {name: value for result in tests.results for name, value in result.statistics.items()}
            self.scores[material] = float(told.get("reliance", float("nan")))
            self.markers[material] = float(told.get("marker_strength", float("nan")))


def _truth(model: keras.Model, world: World, trial: Trial) -> tuple[float, float]:
    """Held-out accuracy by chance traces, and what another class's trace takes off."""
    k, seed = world.n_classes, trial.seed + 2000
    labels = np.arange(_TEST) % k
    own = draw(world, _TEST, seed, traces=labels)
    other = draw(world, _TEST, seed, traces=(labels + 1 + np.arange(_TEST) // k % (k - 1)) % k)
    by_chance = draw(world, _TEST, seed, correlation=1 / k)

    def accuracy(drawn: Drawn) -> float:
        answers: NDArray[np.float32] = model.predict(drawn.images, batch_size=100, verbose=0)
        return float((answers.argmax(axis=1) == drawn.labels).mean())

    return accuracy(by_chance), accuracy(own) - accuracy(other)
