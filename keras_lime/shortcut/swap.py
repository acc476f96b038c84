"""The background swap: what becomes of the predictions when the same objects stand before other backgrounds?

The names are those of Xiao et al. 2020, "Noise or Signal": an image with the background of another class is their
Mixed-Rand, one with another background of its own class their Mixed-Same. The latter is the control: a weak model
changes its mind on any new background, one of the same class too. May import numpy, the core, `background` and
`reliance`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput, OtherInputs, with_inputs
from keras_lime.core.scores import ImageScorer
from keras_lime.core.shares import mean_stderr
from keras_lime.shortcut.background import can_be_swapped, remove_objects
from keras_lime.shortcut.reliance import Reliance, reliance
from keras_lime.shortcut.results import Obstacle

__all__ = ["N_DONORS", "SwapPlan", "SwapScores", "SwapStatistics", "make_swap_plan", "run_swap", "why_no_swap"]

N_DONORS = 4
"""Backgrounds of each kind per probe: in training, in an audit, and wherever nobody asks for more."""


@dataclass(frozen=True, eq=False)
class SwapPlan:
    """Everything about the swap that does not depend on the model; m of n probes can be swapped.

    Attributes:
        images: array (n, h, w, c) or (n, h, w).
        masks: bool array (n, h, w), True on the object.
        labels: int array (n,).
        backgrounds: array like `images`, the objects taken out; the images themselves where that was impossible.
        grey: float array (c,), model input that is shown as middle grey.
        probes: int array (m,), positions of the probes that are swapped.
        donors: int array (m, d), positions of the probes of other classes whose backgrounds they get; -1 where there
            are fewer than d.
        same: int array (m, e), the same of their own class.
        inputs: what the model takes beside each image, arrays (n, ...) by name; they stay with the object.
        estimated: whether the masks are estimates.
        hint: what else the classes differ in, a sentence for the words of an alarm; empty where nothing is known.
    """

    images: NDArray[Any]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]
    backgrounds: NDArray[Any]
    grey: NDArray[np.floating[Any]]
    probes: NDArray[np.int64]
    donors: NDArray[np.int64]
    same: NDArray[np.int64]
    inputs: OtherInputs = field(default_factory=dict)
    estimated: bool = False
    hint: str = ""

    def swapped(self, probe: int, donor: int) -> NDArray[Any]:
        """One probe's object, its own pixels, on another one's background; like an image."""
        return self._paste(probe, self.backgrounds[donor])

    def object_only(self, probe: int) -> NDArray[Any]:
        """One probe's object on grey; mean colours of the scene would give the scene away."""
        plain = np.broadcast_to(self.grey, (*self.images.shape[1:3], len(self.grey))).reshape(self.images.shape[1:])
        return self._paste(probe, plain.astype(self.images.dtype))

    def pictures(self) -> Iterator[NDArray[Any] | ModelInput]:
        """All pictures of the test: of each probe its background, its object, and its swaps, other classes first."""
        for probe, donors in zip(self.probes, np.concatenate([self.donors, self.same], axis=1), strict=True):
            swapped = (self.swapped(probe, donor) for donor in donors[donors >= 0])
            for picture in (self.backgrounds[probe], self.object_only(probe), *swapped):
                yield with_inputs(picture, self.inputs, probe)

    def _paste(self, probe: int, background: NDArray[Any]) -> NDArray[Any]:
        mask = self.masks[probe].reshape(*self.masks.shape[1:], *[1] * (self.images.ndim - 3))
        return np.where(mask, self.images[probe], background)


@dataclass(frozen=True)
class SwapStatistics:
    """What the swap says about all probes or about those of one class; NaN where nothing can be said.

    Attributes:
        n: number of probes.
        swap_flip: share of the predictions that change, 0..1.
        swap_flip_stderr: its standard error over the probes, never zero; NaN for less than two.
        same_flip: share of the predictions that change with other backgrounds of the same class.
        reliance: share of the predictions that follow the class of the background, see `Reliance`.
        reliance_stderr: its standard error; never zero.
        object_reliance: share of the predictions that follow the class of the object.
        background_certainty: probability of the predicted class with the object taken out, (p − chance) /
            (1 − chance): 1 is certain, 0 a guess.
        object_certainty: the same with the object alone, on grey.
    """

    n: int
    swap_flip: float
    swap_flip_stderr: float
    same_flip: float
    reliance: float
    reliance_stderr: float
    object_reliance: float
    background_certainty: float
    object_certainty: float


@dataclass(frozen=True, eq=False)
class SwapScores:
    """A model's answers to the swap; m probes with d donors each.

    Attributes:
        plan: what was asked.
        chance: probability of a class by guessing, 1 / number of classes.
        before: int array (m,), the predicted class of each unchanged probe.
        before_value: float array (m,), its probability.
        after: int array (m, d), the predicted class of each swapped picture; -1 where there is none.
        after_value: float array (m, d), its probability; NaN where there is none.
        same: int array (m, e), the predicted class on each background of the same class; -1 where there is none.
        background: float array (m,), probability of the class `before` with the object taken out.
        object: float array (m,), probability of the class `before` with the object alone.
        class_names: names of the classes, or None. Defaults to `None`.
    """

    plan: SwapPlan
    chance: float
    before: NDArray[np.int64]
    before_value: NDArray[np.float64]
    after: NDArray[np.int64]
    after_value: NDArray[np.float64]
    same: NDArray[np.int64]
    background: NDArray[np.float64]
    object: NDArray[np.float64]
    class_names: tuple[str, ...] | None = None

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which predictions changed, (m, d)."""
        changed: NDArray[np.bool_] = (self.after >= 0) & (self.after != self.before[:, None])
        return changed

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each probe's predictions that changed, (m,)."""
        shares: NDArray[np.float64] = self.changed.sum(axis=1) / (self.after >= 0).sum(axis=1)
        return shares

    def statistics(self, label: int | None = None) -> SwapStatistics:
        """The numbers of one class, or of all probes.

        Args:
            label: a true class. Defaults to `None`, all.
        """
        chosen = np.ones(len(self.before), bool) if label is None else self.plan.labels[self.plan.probes] == label
        count = int(chosen.sum())
        if count == 0:
            return SwapStatistics(0, *[float("nan")] * 8)
        shares = self.shares[chosen]
        known = 1 - self.chance
        background, alone = (
            (float(values[chosen].mean()) - self.chance) / known for values in (self.background, self.object)
        )
        found = self._reliance(chosen)
        return SwapStatistics(
            count,
            float(shares.mean()),
            mean_stderr(shares),
            self._same_flip(chosen),
            found.background,
            found.stderr,
            found.object,
            background,
            alone,
        )

    def classes(self) -> dict[int, SwapStatistics]:
        """The numbers of each true class that has a probe in the test."""
        return {int(label): self.statistics(label) for label in np.unique(self.plan.labels[self.plan.probes])}

    def _same_flip(self, chosen: NDArray[np.bool_]) -> float:
        """Mean over probes of the share of predictions that changed; NaN where no probe has a control."""
        counts = (self.same >= 0).sum(axis=1)
        changed = ((self.same >= 0) & (self.same != self.before[:, None])).sum(axis=1)
        controlled = chosen & (counts > 0)
        return float((changed[controlled] / counts[controlled]).mean()) if controlled.any() else float("nan")

    def _reliance(self, chosen: NDArray[np.bool_]) -> Reliance:
        answers = np.concatenate([self.after, self.same], axis=1)[chosen]
        donors = np.concatenate([self.plan.donors, self.plan.same], axis=1)[chosen]
        rows, columns = np.nonzero(answers >= 0)
        probes = self.plan.probes[chosen][rows]
        return reliance(answers[rows, columns], probes, donors[rows, columns], self.plan.labels, round(1 / self.chance))


def why_no_swap(labels: NDArray[np.int64] | None, masks: NDArray[np.bool_] | None) -> Obstacle | None:
    """Why the swap cannot be measured with such probes; None if it can.

    Args:
        labels: int array (n,), or None.
        masks: bool array (n, h, w), or None.
    """
    if masks is None:
        return Obstacle(
            "The probes have no object masks or boxes, so it is unknown where the objects are.",
            "Give `ProbeSet` their `masks` or `boxes`; rough ones do.",
        )
    if labels is None:
        return Obstacle(
            "The probes have no labels, so it is unknown which backgrounds belong to other classes.",
            "Give `ProbeSet` their `labels`.",
        )
    usable = can_be_swapped(masks)
    if not usable.any():
        return Obstacle(
            "No object mask separates an object from a background: they cover nothing, or all of the picture.",
            "Give masks that are True on the object and False around it.",
        )
    counts = np.unique(labels[usable], return_counts=True)[1]
    if len(counts) < 2:
        return Obstacle(
            "All probes with a usable object mask are of one class, so there are no backgrounds of other classes.",
            "Add probes of other classes.",
        )
    if counts.max() < 2:
        return Obstacle(
            "No class has two probes with a usable object mask, so there are no other backgrounds of the same class.",
            "Add probes of the same classes.",
        )
    return None


def make_swap_plan(
    images: NDArray[Any],
    labels: NDArray[np.int64],
    masks: NDArray[np.bool_],
    *,
    grey: NDArray[np.floating[Any]],
    n_donors: int = N_DONORS,
    n_same: int = N_DONORS,
    seed: int = 0,
    inputs: OtherInputs | None = None,
) -> SwapPlan:
    """Takes the objects out of the probes and draws for each probe the backgrounds that its object gets.

    A probe whose mask covers nothing or (nearly) everything neither gets nor gives a background: in the first case its
    object may be there, unmarked.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        labels: int array (n,).
        masks: bool array (n, h, w), True on the object.
        grey: float array (c,), model input that is shown as middle grey.
        n_donors: backgrounds of other classes per probe at most, spread over the classes. Defaults to `4`.
        n_same: other backgrounds of the same class per probe at most. Defaults to `4`.
        seed: of the draw.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        A `SwapPlan`; without probes if no background fits any of them.
    """
    usable = np.flatnonzero(can_be_swapped(masks))
    backgrounds = np.array(images)
    if len(usable):
        backgrounds[usable] = remove_objects(images[usable], masks[usable])
    # Two streams: the draw among other classes is the same with and without the control.
    rng, same_rng = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    donors = np.full((len(usable), n_donors), -1, np.int64)
    same = np.full((len(usable), n_same), -1, np.int64)
    for row, probe in enumerate(usable):
        # Donors are drawn by true label: drawn by predicted label they would accuse clean models, since a class's
        # donors would then be those whose backgrounds the model happens to read in that way.
        _fill(donors[row], _of_other_classes(probe, usable, labels, rng))
        _fill(same[row], same_rng.permutation(usable[(labels[usable] == labels[probe]) & (usable != probe)]).tolist())
    served = (donors >= 0).any(axis=1)
    donors, same = _trimmed(donors[served]), _trimmed(same[served])
    return SwapPlan(images, masks, labels, backgrounds, grey, usable[served], donors, same, inputs or {})


def run_swap(plan: SwapPlan, scorer: ImageScorer, before: Sequence[int], before_values: Sequence[float]) -> SwapScores:
    """Asks a model.

    Args:
        plan: with at least one probe.
        scorer: the model.
        before: predicted class of each of the plan's n images.
        before_values: probability of each.

    Returns:
        The `SwapScores`.
    """
    scores = scorer.score_images(plan.pictures())
    taken = np.asarray(before)[plan.probes]
    after = np.full(plan.donors.shape, -1, np.int64)
    after_value = np.full(plan.donors.shape, np.nan)
    same = np.full(plan.same.shape, -1, np.int64)
    background, alone = np.empty(len(taken)), np.empty(len(taken))
    start = 0
    for row, predicted in enumerate(taken):
        background[row], alone[row] = scores[start : start + 2, predicted]
        others, controls = int((plan.donors[row] >= 0).sum()), int((plan.same[row] >= 0).sum())
        swapped = scores[start + 2 : start + 2 + others]
        after[row, :others], after_value[row, :others] = swapped.argmax(axis=1), swapped.max(axis=1)
        same[row, :controls] = scores[start + 2 + others :][:controls].argmax(axis=1)
        start += 2 + others + controls
    values = np.asarray(before_values, np.float64)[plan.probes]
    return SwapScores(plan, 1 / scores.shape[1], taken, values, after, after_value, same, background, alone)


def _of_other_classes(
    probe: np.int64, usable: NDArray[np.int64], labels: NDArray[np.int64], rng: np.random.Generator
) -> list[int]:
    """Probes of other classes in the order in which they are taken: each class once, each class twice and so on."""
    others = [label for label in np.unique(labels[usable]) if label != labels[probe]]
    queues = [list(rng.permutation(usable[labels[usable] == label])) for label in rng.permutation(others)]
    rounds = max(map(len, queues), default=0)
    return [int(queue[turn]) for turn in range(rounds) for queue in queues if turn < len(queue)]


def _fill(row: NDArray[np.int64], found: Sequence[int]) -> None:
    taken = found[: len(row)]
    row[: len(taken)] = taken


def _trimmed(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without columns that no row uses."""
    return table[:, (table >= 0).any(axis=0)]
