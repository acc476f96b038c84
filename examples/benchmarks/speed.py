"""Overhead over the plain forward passes, and the time to the accuracy of `lime` at 512 samples, with the peers."""

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.models import Subject, plain_passes, seconds
from benchmarks.peers import peers
from keras_lime import explain

__all__ = ["overhead", "time_to_accuracy"]

Contestant = Callable[[], object]


def overhead(subject: Subject, rounds: int, *, with_peers: bool, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Every round times each contestant once, in turn, so that a machine whose speed drifts treats them alike.

    Args:
        subject: the model.
        rounds: number of rounds.
        with_peers: let the other explainers take part.
        sizes: batch sizes that are tried for the plain passes.

    Returns:
        Medians over the rounds: seconds of the plain passes, and for each contestant its time over theirs.
    """
    image = subject.photographs(("chelsea",))["chelsea"]
    plain, batch_size = plain_passes(subject.model, image, subject.samples, sizes)
    ours = partial(_explain, subject, image, subject.samples)
    found = ours()
    contestants: dict[str, Contestant] = {"keras_lime": ours}
    if with_peers:
        contestants |= peers(subject.model, image, found.segmentation.labels, found.predicted, subject.samples)
    for run in contestants.values():
        run()
    ratios: dict[str, list[float]] = {name: [] for name in contestants}
    base: list[float] = []
    for _ in range(rounds):
        base.append(seconds(plain))
        for name, run in contestants.items():
            ratios[name].append(seconds(run) / base[-1])
    n_segments = found.segmentation.n_segments
    print(f"\n{subject.name}: {subject.size}×{subject.size}, {subject.samples} samples, {n_segments} superpixels")
    print(f"  plain forward passes, batches of {batch_size}: {statistics.median(base):.3f} s, {rounds} rounds")
    for name, values in ratios.items():
        print(f"  {name:<18}{statistics.median(values):7.2f}×   ({min(values):.2f} to {max(values):.2f})", flush=True)
    return {
        "samples": subject.samples,
        "superpixels": n_segments,
        "plain_seconds": statistics.median(base),
        "over_plain": {name: statistics.median(values) for name, values in ratios.items()},
    }


def time_to_accuracy(subject: Subject, ours: int, rounds: int, reference: int = 512) -> dict[str, Any]:
    """Times keras_lime at `ours` samples and the peers at `reference` samples.

    Args:
        subject: the model.
        ours: samples with which keras_lime is as accurate as `lime` with `reference`; see `benchmarks.accuracy`.
        rounds: number of rounds.
        reference: samples of the others.

    Returns:
        Median seconds of each, and how many times longer than keras_lime each took.
    """
    image = subject.photographs(("chelsea",))["chelsea"]
    mine = partial(_explain, subject, image, ours)
    found = mine()
    others = peers(subject.model, image, found.segmentation.labels, found.predicted, reference)
    runs: dict[str, Contestant] = {"keras_lime": mine, **others}
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            times.setdefault(name, []).append(seconds(run))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{subject.name}: keras_lime with {ours} samples, the others with {reference}")
    for name, value in medians.items():
        print(f"  {name:<18}{value:9.3f} s{value / medians['keras_lime']:8.1f}×", flush=True)
    return {"samples": {"keras_lime": ours, "others": reference}, "seconds": medians}


def _explain(subject: Subject, image: Any, samples: int) -> Any:
    return explain(subject.model, image, num_samples=samples, targets="predicted", output="softmax")
