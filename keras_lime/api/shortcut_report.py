"""`shortcut_report` and `assert_no_shortcut`: all that can be measured of a trained model. May import Keras."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.display import DisplayFn
from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share, pointing_game, relevance_rank
from keras_lime.core.model_input import OtherInputs, as_other_inputs, with_inputs
from keras_lime.core.phrases import count_of, number, percent
from keras_lime.core.pipeline import explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.scores import Scorer
from keras_lime.core.settings import Settings, SettingsDict, make_settings
from keras_lime.probes import ProbeSet
from keras_lime.scoring import check_agreement, make_scorer
from keras_lime.shortcut.background_swap import RELIANCE_THRESHOLD, BackgroundSwap
from keras_lime.shortcut.faithfulness import deletion_insertion
from keras_lime.shortcut.heatmap_clusters import CommonRegion, cluster_heatmaps, common_region
from keras_lime.shortcut.occlusion import REGIONS, Occlusion
from keras_lime.shortcut.probe_data import prepare_probes
from keras_lime.shortcut.protocol import ProbeData, prepare_test, run_test
from keras_lime.shortcut.registry import shortcut_tests
from keras_lime.shortcut.results import Measurement, Predictions, Status, TestResult, overall_status
from keras_lime.shortcut.swap import SwapScores, SwapStatistics

__all__ = ["ShortcutReport", "assert_no_shortcut", "shortcut_report"]

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class ShortcutReport:
    """What `shortcut_report` found; print it. NaN stands for what cannot be measured, `results` say why.

    Attributes:
        results: of every shortcut test, with its status and the reason.
        accuracy: share of the probes that are predicted right.
        swap: share of the predictions that follow the class of the background and that change with it, and what object
            and background keep alone; see `shortcut.swap.SwapStatistics`.
        classes: the same for each true class.
        mixed_same: accuracy with the object on another background of its own class (Xiao et al. 2020).
        mixed_rand: accuracy with the object on a background of another class.
        bg_gap: `mixed_same - mixed_rand`. It points to a shortcut only if the probes' backgrounds go with their
            classes.
        occlusion: by how much the probability of the predicted class falls when each of eight corners and borders is
            hidden, by name.
        frame: certainty of the prediction from the outer frame alone; a hint.
        object_share: mean share of the positive weight on the object (relevance mass of Arras et al. 2022).
        relevance_rank: mean relevance rank accuracy (same source).
        pointing_game: share of the explanations whose strongest superpixel is on the object (Zhang et al. 2016).
        deletion: mean area under the deletion curve (Petsiuk et al. 2018); low says that the explanations are right.
        insertion: mean area under the insertion curve; high says the same.
        heatmap_clusters: for each class of at least 20 probes the cluster of each explanation, as in SpRAy.
        common_regions: for each class of at least five probes, where its explanations look for pixels that its images
            share.
        class_names: names of the classes, or None.
    """

    results: tuple[TestResult, ...]
    accuracy: float
    swap: SwapStatistics
    classes: dict[int, SwapStatistics]
    mixed_same: float
    mixed_rand: float
    occlusion: dict[str, float]
    frame: float
    object_share: float
    relevance_rank: float
    pointing_game: float
    deletion: float
    insertion: float
    heatmap_clusters: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    common_regions: dict[int, CommonRegion] = field(default_factory=dict)
    class_names: tuple[str, ...] | None = None

    @property
    def bg_gap(self) -> float:
        """`mixed_same - mixed_rand`."""
        return self.mixed_same - self.mixed_rand

    @property
    def status(self) -> Status:
        """What all tests say together; only `Status.PASSED` is an all-clear."""
        return overall_status(self.results)

    @property
    def findings(self) -> tuple[Measurement, ...]:
        """The numbers above their thresholds."""
        return tuple(each for result in self.results for each in result.measurements if each.fires)

    @property
    def untested(self) -> tuple[str, ...]:
        """What was not tested, or not fully, and why, as sentences."""
        return tuple(
            sentence
            for result in self.results
            for sentence in ((result.reason,) if result.findings is None else result.findings.gaps)
        )

    def __str__(self) -> str:
        rows = [
            ("predictions that follow the class of the background", _followed(self.swap)),
            ("predictions that change on backgrounds of other classes", _changed(self.swap)),
            ("… on other backgrounds of the same class", percent(self.swap.same_flip)),
            ("certainty from the background alone (0 guess, 1 certain)", number(self.swap.background_certainty)),
            ("certainty from the object alone", number(self.swap.object_certainty)),
            ("accuracy", number(self.accuracy)),
            (
                "… Mixed-Same, Mixed-Rand, BG-Gap",
                " ".join(map(number, (self.mixed_same, self.mixed_rand, self.bg_gap))),
            ),
            ("certainty from the outer frame alone, a hint", number(self.frame)),
            ("object share, relevance rank, pointing game", " ".join(map(number, self._on_object))),
            ("deletion, insertion", f"{number(self.deletion)} {number(self.insertion)}"),
        ]
        if self.occlusion:
            region = max(self.occlusion, key=lambda name: self.occlusion[name])
            rows.insert(8, (f"most that hiding a corner or border takes off: {region}", number(self.occlusion[region])))
        known = {"reliance", "swap_flip", "same_flip", "p_background", "p_object", "occlusion_drop", "p_frame"}
        rows += [
            (f"{result.test}: {name}", number(value))
            for result in self.results
            for name, value in result.statistics.items()
            if name not in known
        ]
        lines = [
            f"Shortcut tests: {self.status}.",
            *(f"  {each.test}: {each.status}. {each.reason} {each.remedy}".rstrip() for each in self.results),
            *(f"{title:<62}{value}" for title, value in rows),
        ]
        for label, each in sorted(self.classes.items(), key=lambda item: -item[1].swap_flip):
            title = class_title(label, self.class_names)
            lines.append(f"  {title:<60}{_changed(each)}  ({count_of(each.n, 'probe')})")
        gaps = [gap for result in self.results if result.findings is not None for gap in result.findings.gaps]
        return "\n".join([*lines, *gaps])

    @property
    def _on_object(self) -> tuple[float, float, float]:
        return self.object_share, self.relevance_rank, self.pointing_game


def shortcut_report(
    model: Any | Callable[[NDArray[np.float32]], Any], probes: ProbeSet, **settings: Unpack[SettingsDict]
) -> ShortcutReport:
    """Measures whether a trained model reads the objects or what stands around them.

    Args:
        model: a Keras model, or a function from a float32 batch (n, h, w, c) to scores (n, n_classes).
        probes: images with labels and object masks; without masks outlines are estimated, unless the probes have
            `outlines=None`. Explanations are made of the explained probes, shortcut tests of all `tested` ones, 30 at
            least.
        **settings: see `keras_lime.Settings`; `num_samples` defaults to 256 here.

    Returns:
        The `ShortcutReport`.

    Raises:
        ValueError: if probes and model do not fit, or the model gives no probabilities of two and more classes.
        TypeError: for an unknown setting.

    Example:
        >>> print(shortcut_report(model, probes))
    """
    chosen = make_settings({"targets": "predicted", **settings}, class_names=probes.class_names, num_samples=256)
    images, labels, masks = probes.images, probes.labels, probes.masks
    scorer = _scorer(model, probes, chosen)
    plans = make_plans(list(images), chosen, _inputs(probes))
    explanations = list(explain_plans(plans, probes.subjects(), scorer, chosen, class_names=probes.class_names))
    tested = probes.tested
    data = _data(tested, chosen.display_fn, chosen.seed)
    predictions = _predictions(scorer, tested)
    results = tuple(
        run_test(prepare_test(test, data, thorough=True), data, scorer, predictions, RELIANCE_THRESHOLD)
        for test in shortcut_tests()
    )
    details = {result.test: result.details for result in results}
    swap, occlusion = details.get("swap"), details.get("occlusion")
    swap = swap if isinstance(swap, SwapScores) else None
    occlusion = occlusion if isinstance(occlusion, Occlusion) else None
    deletion, insertion = deletion_insertion(plans, explanations, scorer)
    right = np.array([_NAN] if tested.labels is None else predictions.classes == tested.labels, np.float64)
    ids = [] if labels is None else [int(label) for label in np.unique(labels)]
    members = {label: np.asarray(labels == label) for label in ids}
    clusters = {label: cluster_heatmaps(_chosen(explanations, members[label]), chosen.seed) for label in ids}
    regions = {label: common_region(explanations, images, members[label]) for label in ids}
    return ShortcutReport(
        results=results,
        accuracy=float(right.mean()),
        swap=SwapStatistics(0, *[_NAN] * 8) if swap is None else swap.statistics(),
        classes={} if swap is None else swap.classes(),
        mixed_same=_NAN if swap is None else _accuracy(swap, swap.same),
        mixed_rand=_NAN if swap is None else _accuracy(swap, swap.after),
        occlusion={} if occlusion is None else dict(zip(REGIONS, occlusion.mean().tolist(), strict=True)),
        frame=_NAN if occlusion is None else float(occlusion.frame.mean()),
        object_share=_NAN if masks is None else _mean([float(object_share(each)[0]) for each in explanations]),
        relevance_rank=_mean([relevance_rank(each) for each in explanations]),
        pointing_game=_mean([pointing_game(each) for each in explanations]),
        deletion=float(deletion.mean()),
        insertion=float(insertion.mean()),
        heatmap_clusters={label: each for label, each in clusters.items() if each is not None},
        common_regions={label: each for label, each in regions.items() if each is not None},
        class_names=probes.class_names,
    )


def assert_no_shortcut(
    model: Any | Callable[[NDArray[np.float32]], Any],
    probes: ProbeSet,
    threshold: float = RELIANCE_THRESHOLD,
    **settings: Unpack[SettingsDict],
) -> None:
    """Fails if a trained model reads the background: one line for a test suite of one's own.

    Each probe's object is pasted on the backgrounds of four probes of other classes and of four of its own; no
    explanation is made. It passes only where the test could tell: a model that predicts one class for everything,
    guesses, or changes its mind on any new background fails as well, and so do fewer than 30 probes.

    Args:
        model: a Keras model, or a function from a float32 batch (n, h, w, c) to scores (n, n_classes).
        probes: images with labels, of two classes at least, and object masks or boxes; without these, outlines are
            estimated. It takes 30 (`probes.tested`), and 60 do well.
        threshold: share of the predictions that may follow the class of the background, 0..1. Defaults to `0.1`.
        **settings: `output`, `head`, `batch_size`, `display_fn` and `seed` of `keras_lime.Settings`.

    Raises:
        AssertionError: if more predictions follow it, with the worst classes; or if the test cannot tell, with the
            reason and what to do.
        ValueError: if it cannot be measured, with the reason: a test that tests nothing must not pass.

    Example:
        >>> def test_the_model_reads_the_signs():
        ...     keras_lime.assert_no_shortcut(keras.models.load_model("signs.keras"), probes)
    """
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError(f"`threshold` must be a share of the predictions, 0 to 1. Received: threshold={threshold!r}.")
    chosen = make_settings(settings)
    probes = probes.tested
    data = _data(probes, chosen.display_fn, chosen.seed)
    prepared = prepare_test(BackgroundSwap(), data)
    if prepared.obstacle is not None:
        raise ValueError(f"`probes` must have labels and objects that can be outlined. {prepared.obstacle}")
    scorer = _scorer(model, probes, chosen)
    result = run_test(prepared, data, scorer, _predictions(scorer, probes), threshold)
    scores: SwapScores = result.details
    found = scores.statistics()
    if result.status is Status.PASSED:
        return
    classes = sorted(scores.classes().items(), key=lambda item: -item[1].swap_flip)
    worst = [f"  {class_title(label, probes.class_names)}: {_changed(each)}" for label, each in classes[:5]]
    if result.status is Status.ALARM:
        raise AssertionError(
            f"The model reads the background: {_followed(found)} of the predictions follow the class of the background "
            f"(at most {percent(threshold)} may; {count_of(found.n, 'probe')}). On backgrounds of other classes "
            f"{_changed(found)} change, on others of the same class {percent(found.same_flip)}. Share that changes, "
            "worst classes first:\n" + "\n".join(worst)
        )
    raise AssertionError(
        f"Cannot say whether the model reads the background. {result.reason} {result.remedy}".rstrip()
        + f" ({result.sentence})"
    )


def _inputs(probes: ProbeSet) -> OtherInputs:
    return as_other_inputs(probes.inputs, len(probes))


def _scorer(model: Any, probes: ProbeSet, settings: Settings) -> Scorer:
    """The model's scorer, which is known to give what `predict` gives."""
    inputs = _inputs(probes)
    scorer = make_scorer(
        model,
        probes.images[0].shape,
        settings.output,
        settings.head,
        settings.batch_size,
        inputs=inputs,
        image_input=probes.image_input,
    )
    check_agreement(model, scorer, probes.images, inputs)
    return scorer


def _data(probes: ProbeSet, display_fn: DisplayFn | None, seed: int) -> ProbeData:
    return prepare_probes(
        probes.images,
        probes.labels,
        probes.masks,
        outlines=probes.outlines,
        display_fn=display_fn,
        class_names=probes.class_names,
        seed=seed,
        inputs=_inputs(probes),
        names=probes.names,
    )


def _predictions(scorer: Any, probes: ProbeSet) -> Predictions:
    scores = scorer.score_images(with_inputs(image, _inputs(probes), row) for row, image in enumerate(probes.images))
    kind = getattr(getattr(scorer, "output", None), "kind", None)
    if kind == "regression" or scores.shape[1] < 2:
        raise ValueError("`model` must give probabilities of two or more classes. Received: a regression.")
    return Predictions(scores.argmax(axis=1), scores.max(axis=1), scores.shape[1], probes.class_names)


def _chosen(explanations: list[Explanation], members: NDArray[np.bool_]) -> list[Explanation]:
    return [each for each, taken in zip(explanations, members, strict=True) if taken]


def _accuracy(swap: SwapScores, predicted: NDArray[np.int64]) -> float:
    """Share of the swapped images whose prediction is the object's class; NaN without any."""
    labels = swap.plan.labels[swap.plan.probes][:, None]
    known = predicted >= 0
    return float((predicted == labels)[known].mean()) if known.any() else _NAN


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else _NAN


def _changed(found: SwapStatistics) -> str:
    return percent(found.swap_flip, found.swap_flip_stderr)


def _followed(found: SwapStatistics) -> str:
    return percent(found.reliance, found.reliance_stderr)
