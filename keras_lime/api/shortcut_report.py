"""`shortcut_report` and `assert_no_shortcut`: all that can be measured of a trained model. May import Keras."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share, pointing_game, relevance_rank
from keras_lime.core.pipeline import explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.scores import ImageScorer
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.probes import ProbeSet
from keras_lime.scoring import make_scorer
from keras_lime.shortcut.decision import Evidence, Reading, class_title, readings
from keras_lime.shortcut.faithfulness import deletion_insertion
from keras_lime.shortcut.heatmap_clusters import SharedPlace, group_heatmaps, shared_place
from keras_lime.shortcut.monitor import display_of
from keras_lime.shortcut.occlusion import PLACES, Occlusion, run_occlusion
from keras_lime.shortcut.swap import Figures, SwapScores, make_swap_plan, run_swap, why_no_swap

__all__ = ["ShortcutReport", "assert_no_shortcut", "shortcut_report"]

_MOST_SWAPS = 30
"""Backgrounds per probe at most."""

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class ShortcutReport:
    """What `shortcut_report` found; print it. NaN stands for what cannot be measured, `unmeasured` says why.

    Attributes:
        accuracy: share of the probes that are predicted right.
        swap: share of the predictions that change on backgrounds of other classes, and what object and background
            keep alone; see `shortcut.swap.Figures`.
        classes: the same for each true class.
        mixed_same: accuracy with the object on another background of its own class (Xiao et al. 2020).
        mixed_rand: accuracy with the object on a background of another class.
        bg_gap: `mixed_same - mixed_rand`. It tells of a shortcut only if the probes' backgrounds go with their classes.
        occlusion: by how much the probability of the predicted class falls when each of eight corners and borders is
            hidden, by name.
        frame: certainty of the prediction from the outer frame alone; a hint.
        object_share: mean share of the positive weight on the object (relevance mass of Arras et al. 2022).
        relevance_rank: mean relevance rank accuracy (same source).
        pointing_game: share of the explanations whose strongest superpixel is on the object (Zhang et al. 2016).
        deletion: mean area under the deletion curve (Petsiuk et al. 2018); low says that the explanations are right.
        insertion: mean area under the insertion curve; high says the same.
        groups: for each class of at least 20 probes the group of each explanation, as in SpRAy.
        places: for each class of at least five probes, where its explanations look for pixels that its images share.
        findings: the numbers above their thresholds.
        unmeasured: what could not be measured, and why.
        class_names: names of the classes, or None.
    """

    accuracy: float
    swap: Figures
    classes: dict[int, Figures]
    mixed_same: float
    mixed_rand: float
    occlusion: dict[str, float]
    frame: float
    object_share: float
    relevance_rank: float
    pointing_game: float
    deletion: float
    insertion: float
    groups: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    places: dict[int, SharedPlace] = field(default_factory=dict)
    findings: tuple[Reading, ...] = ()
    unmeasured: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None

    @property
    def bg_gap(self) -> float:
        """`mixed_same - mixed_rand`."""
        return self.mixed_same - self.mixed_rand

    def __str__(self) -> str:
        rows = [
            ("predictions that change on backgrounds of other classes", _with_error(self.swap)),
            ("certainty from the background alone (0 guess, 1 certain)", _number(self.swap.p_background)),
            ("certainty from the object alone", _number(self.swap.p_object)),
            ("accuracy", _number(self.accuracy)),
            (
                "… Mixed-Same, Mixed-Rand, BG-Gap",
                " ".join(map(_number, (self.mixed_same, self.mixed_rand, self.bg_gap))),
            ),
            ("certainty from the outer frame alone, a hint", _number(self.frame)),
            ("object share, relevance rank, pointing game", " ".join(map(_number, self._on_object))),
            ("deletion, insertion", f"{_number(self.deletion)} {_number(self.insertion)}"),
        ]
        if self.occlusion:
            place = max(self.occlusion, key=lambda name: self.occlusion[name])
            rows.insert(6, (f"most that hiding a corner or border takes off: {place}", _number(self.occlusion[place])))
        lines = [f"{title:<62}{value}" for title, value in rows]
        for label, each in sorted(self.classes.items(), key=lambda item: -item[1].swap_flip):
            lines.append(f"  {class_title(label, self.class_names):<60}{_with_error(each)}  ({each.n} probes)")
        return "\n".join([*lines, *self.unmeasured])

    @property
    def _on_object(self) -> tuple[float, float, float]:
        return self.object_share, self.relevance_rank, self.pointing_game


def shortcut_report(
    model: Any | Callable[[NDArray[np.float32]], Any], probes: ProbeSet, **settings: Unpack[SettingsDict]
) -> ShortcutReport:
    """Measures whether a trained model reads the objects or what stands around them.

    Args:
        model: a Keras model, or a function from a float32 batch (n, h, w, c) to scores (n, n_classes).
        probes: images with labels and object masks; without these, what needs none is measured. 20 to 30 do well.
        **settings: see `keras_lime.Settings`; `num_samples` defaults to 256 here.

    Returns:
        The `ShortcutReport`.

    Raises:
        ValueError: if probes and model do not fit, or the model gives no probabilities of two and more classes.
        TypeError: for an unknown setting.

    Example:
        >>> print(shortcut_report(model, probes))
    """
    chosen = make_settings({"targets": "predicted", **settings}, num_samples=256)
    images, labels, masks = probes.images, probes.labels, probes.masks
    scorer = make_scorer(model, images[0].shape, output=chosen.output, head=chosen.head, batch_size=chosen.batch_size)
    plans = make_plans(list(images), chosen)
    explanations = list(explain_plans(plans, probes.subjects(), scorer, chosen, class_names=probes.class_names))
    evidence, same, scores = _evidence(
        probes, scorer, display_of(images, chosen.display_fn).grey(images[0]), chosen.seed
    )
    deletion, insertion = deletion_insertion(plans, explanations, scorer)
    right = np.array([_NAN] if labels is None else scores.argmax(axis=1) == labels, np.float64)
    swap, occlusion = evidence.swap, evidence.occlusion
    ids = [] if labels is None else [int(label) for label in np.unique(labels)]
    members = {label: np.asarray(labels == label) for label in ids}
    groups = {label: group_heatmaps(_chosen(explanations, members[label]), chosen.seed) for label in ids}
    places = {label: shared_place(explanations, images, members[label]) for label in ids}
    return ShortcutReport(
        accuracy=float(right.mean()),
        swap=Figures(0, *[_NAN] * 4) if swap is None else swap.figures(),
        classes={} if swap is None else swap.classes(),
        mixed_same=_NAN if same is None else _accuracy(same),
        mixed_rand=_NAN if swap is None else _accuracy(swap),
        occlusion={} if occlusion is None else dict(zip(PLACES, occlusion.mean().tolist(), strict=True)),
        frame=_NAN if occlusion is None else float(occlusion.frame.mean()),
        object_share=_NAN if masks is None else _mean([float(object_share(each)[0]) for each in explanations]),
        relevance_rank=_mean([relevance_rank(each) for each in explanations]),
        pointing_game=_mean([pointing_game(each) for each in explanations]),
        deletion=float(deletion.mean()),
        insertion=float(insertion.mean()),
        groups={label: each for label, each in groups.items() if each is not None},
        places={label: each for label, each in places.items() if each is not None},
        findings=tuple(each for each in readings(evidence) if each.fires),
        unmeasured=evidence.unmeasured,
        class_names=probes.class_names,
    )


def assert_no_shortcut(
    model: Any | Callable[[NDArray[np.float32]], Any],
    probes: ProbeSet,
    threshold: float = 0.25,
    **settings: Unpack[SettingsDict],
) -> None:
    """Fails if a trained model reads the background: one line for a test suite of one's own.

    Each probe's object is pasted on the backgrounds of four probes of other classes; no explanation is made. It is for
    models that have learned something: one that guesses fails as well.

    Args:
        model: a Keras model, or a function from a float32 batch (n, h, w, c) to scores (n, n_classes).
        probes: images with labels and object masks or boxes, of two classes at least; 20 to 30 do well.
        threshold: share of the predictions that may change, 0..1. Defaults to `0.25`.
        **settings: `output`, `head`, `batch_size`, `display_fn` and `seed` of `keras_lime.Settings`.

    Raises:
        AssertionError: if more predictions change, with the worst classes.
        ValueError: if it cannot be measured, with the reason: a test that tests nothing must not pass.

    Example:
        >>> def test_the_model_reads_the_signs():
        ...     keras_lime.assert_no_shortcut(keras.models.load_model("signs.keras"), probes)
    """
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError(f"`threshold` must be a share of the predictions, 0 to 1. Received: threshold={threshold!r}.")
    chosen = make_settings(settings)
    images, labels, masks = probes.images, probes.labels, probes.masks
    why = why_no_swap(labels, masks)
    if why is not None or labels is None or masks is None:
        raise ValueError(f"`probes` must have labels and object masks of two classes. {why}")
    scorer = make_scorer(model, images[0].shape, output=chosen.output, head=chosen.head, batch_size=chosen.batch_size)
    scores = _probabilities(scorer, images)
    grey = display_of(images, chosen.display_fn).grey(images[0])
    plan = make_swap_plan(images, labels, masks, grey=grey, seed=chosen.seed)
    swap = run_swap(plan, scorer, scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist())
    found = swap.figures()
    if found.swap_flip <= threshold:
        return
    classes = sorted(swap.classes().items(), key=lambda item: -item[1].swap_flip)
    worst = [f"  {class_title(label, probes.class_names)}: {_with_error(each)}" for label, each in classes[:5]]
    raise AssertionError(
        f"The model reads the background: with the object on backgrounds of other classes {found.swap_flip:.0%} of the "
        f"predictions change, more than {threshold:.0%} ({found.n} probes, standard error "
        f"{found.swap_flip_stderr:.2f}). Share that changes, worst classes first:\n" + "\n".join(worst)
    )


def _evidence(
    probes: ProbeSet, scorer: ImageScorer, grey: NDArray[np.floating[Any]], seed: int
) -> tuple[Evidence, SwapScores | None, NDArray[np.float64]]:
    """All tests of a model, the swap within the classes (Mixed-Same), and the probabilities of the probes."""
    images, labels, masks = probes.images, probes.labels, probes.masks
    scores = _probabilities(scorer, images)
    before, values = scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist()
    occlusion: Occlusion = run_occlusion(images, scorer, before, values, grey)
    why = why_no_swap(labels, masks)
    swaps: list[SwapScores | None] = [None, None]
    if labels is not None and masks is not None and why is None:
        for position, same in enumerate((False, True)):
            plan = make_swap_plan(images, labels, masks, grey=grey, n_donors=_MOST_SWAPS, same_class=same, seed=seed)
            swaps[position] = run_swap(plan, scorer, before, values) if len(plan.probes) else None
    unmeasured = () if why is None else (why,)
    evidence = Evidence(scores.shape[1], swaps[0], occlusion, labels, probes.class_names, unmeasured)
    return evidence, swaps[1], scores


def _probabilities(scorer: ImageScorer, images: NDArray[Any]) -> NDArray[np.float64]:
    scores = scorer.score_images(images)
    kind = getattr(getattr(scorer, "output", None), "kind", None)
    if kind == "regression" or scores.shape[1] < 2:
        raise ValueError("`model` must give probabilities of two and more classes. Received: a regression.")
    return scores


def _chosen(explanations: list[Explanation], members: NDArray[np.bool_]) -> list[Explanation]:
    return [each for each, taken in zip(explanations, members, strict=True) if taken]


def _accuracy(swap: SwapScores) -> float:
    """Share of the swapped pictures whose prediction is the object's class."""
    labels = swap.plan.labels[swap.plan.probes][:, None]
    return float((swap.after == labels)[swap.after >= 0].mean())


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else _NAN


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _with_error(figures: Figures) -> str:
    error = f" ± {figures.swap_flip_stderr:.0%}" if math.isfinite(figures.swap_flip_stderr) else ""
    return f"{figures.swap_flip:.0%}{error}" if math.isfinite(figures.swap_flip) else "–"
