"""`EpochOutcome`: everything that one explained epoch found, made once and then only read.

Alarm, hook, keys of `logs` and log each read it; none of them waits for another. May import the core, the scorer and
the shortcut tests.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.carry_over import CarryOver
from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import Plan
from keras_lime.core.settings import Settings
from keras_lime.scoring.gradients import CrossCheck
from keras_lime.shortcut import Summary, summarise
from keras_lime.shortcut.heatmap_clusters import cluster_by_class
from keras_lime.shortcut.monitor import EpochTests, ShortcutMonitor, predictions_of
from keras_lime.shortcut.protocol import why_uninformative
from keras_lime.shortcut.results import Predictions
from keras_lime.training.failures import Failure

__all__ = ["EpochOutcome", "Material", "observe"]


@dataclass(frozen=True, eq=False)
class Material:
    """What all epochs of a training share.

    Attributes:
        plans: of the probes, in order.
        subjects: who they are.
        settings: the explainer's.
        class_names: names of the outputs, or None.
        labels: int array (n,), true classes, or None.
        carry_over: what earlier epochs left, or None where each is explained by itself.
    """

    plans: Sequence[Plan]
    subjects: Sequence[Subject]
    settings: Settings
    class_names: tuple[str, ...] | None
    labels: NDArray[np.int64] | None
    carry_over: CarryOver | None = None


@dataclass(frozen=True, eq=False)
class EpochOutcome:
    """One explained epoch.

    Attributes:
        step: the epoch, as it is logged.
        explanations: one per probe.
        summary: their means, over all probes and by class.
        heatmap_clusters: int array (n,), cluster of each among the heatmaps of its class, -1 for none.
        tests: the shortcut tests, or None where they are off.
        agreements: rank agreement with the gradients, (n_targets,) a probe; or None.
        no_agreements: why there are none though they were asked for, or None.
        uninformative: why the predictions say nothing about how the model sees the probes, or None if they do.
        one_class: whether the model predicts one class for probes of several.
        output: what the model's output means, such as `"softmax"`, or None.
        n_outputs: how many outputs there are, or None.
        carried: how the probes were scored where answers are carried over, in words; or None.
        passes: about how many forward passes it took, without those of gradients; or None.
        epoch_share: share of the epoch's time that it took, or None where there is no epoch of a training.
    """

    step: int
    explanations: tuple[Explanation, ...]
    summary: Summary
    heatmap_clusters: NDArray[np.int64]
    tests: EpochTests | None = None
    agreements: tuple[NDArray[np.float64], ...] | None = None
    no_agreements: str | None = None
    uninformative: str | None = None
    one_class: bool = False
    output: str | None = None
    n_outputs: int | None = None
    carried: str | None = None
    passes: int | None = None
    epoch_share: float | None = None

    @property
    def alarm_began(self) -> bool:
        """Whether this is the epoch at which a shortcut alarm began."""
        return self.tests is not None and self.tests.verdict.began


def observe(
    step: int,
    material: Material,
    scorer: Any,
    monitor: ShortcutMonitor | None = None,
    cross_check: CrossCheck | None = None,
    logs: Mapping[str, Any] | None = None,
    progress: Callable[[int], object] = lambda done: None,
    guard: Callable[[Failure, int], AbstractContextManager[None]] = lambda kind, epoch: nullcontext(),
) -> EpochOutcome:
    """Explains and tests the probes at one epoch.

    Args:
        step: the epoch.
        material: what all epochs share.
        scorer: the model.
        monitor: of the shortcut tests, or None.
        cross_check: compares with the gradients, or None.
        logs: what training measured.
        progress: called with the number of probes explained so far.
        guard: keeps what fails from what does not depend on it. Defaults to none: everything raises.

    Returns:
        The `EpochOutcome`.

    Raises:
        ValueError: if the model's output is not finite, with the probe's name.
    """
    explanations: list[Explanation] = []
    plans, subjects, settings = list(material.plans), list(material.subjects), material.settings
    carry_over = material.carry_over
    for explanation in explain_plans(
        plans, subjects, scorer, settings, class_names=material.class_names, step=step, carry_over=carry_over
    ):
        explanations.append(explanation)
        progress(len(explanations))
    classes, values = [each.predicted for each in explanations], [each.predicted_value for each in explanations]
    tests: EpochTests | None = None
    if monitor is not None:
        with guard(Failure.TEST, step):
            tests = monitor.test(step, scorer, classes, values, logs)
    checked = None if cross_check is None else cross_check.check(explanations)
    predictions = predictions_of(classes, values, getattr(scorer, "n_outputs", None) or 0, material.class_names)
    uninformative = why_uninformative(predictions, material.labels) if isinstance(predictions, Predictions) else None
    n_labels = 0 if material.labels is None else len(np.unique(material.labels))
    output = scorer.output
    return EpochOutcome(
        step=step,
        explanations=tuple(explanations),
        summary=summarise(explanations),
        heatmap_clusters=cluster_by_class(explanations, settings.seed),
        tests=tests,
        agreements=None if checked is None or isinstance(checked, str) else tuple(checked),
        no_agreements=checked if isinstance(checked, str) else None,
        uninformative=None if uninformative is None else str(uninformative),
        one_class=isinstance(predictions, Predictions) and len(set(classes)) == 1 and n_labels > 1,
        output=None if output is None else output.kind,
        n_outputs=None if output is None else output.n_outputs,
        carried=None if carry_over is None else carry_over.sentence,
        passes=_passes(explanations, monitor),
    )


def _passes(explanations: Sequence[Explanation], monitor: ShortcutMonitor | None) -> int:
    """With a second baseline everything is scored twice."""
    explaining = sum((each.num_samples or 0) * (1 if each.second is None else 2) for each in explanations)
    return explaining + (0 if monitor is None else monitor.passes(len(explanations)))
