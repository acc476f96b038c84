"""What the callback costs in a training, whether cost is linear in probes and samples, and the start of a probe set."""

import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from traffic_signs import draw_signs

from benchmarks.models import Subject, photograph, plain_passes, seconds
from keras_lime import LimeCallback, ProbeSet
from keras_lime.core import parallel
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings

__all__ = ["callback", "linearity", "plot_linearity", "starting"]


def callback(subject: Subject, *, probes: int, samples: int, images: int, rounds: int) -> dict[str, Any]:
    """Times an explained epoch against as many plain forward passes, and against an epoch of training.

    Args:
        subject: the small network.
        probes: number of probes.
        samples: perturbations of each.
        images: number of pictures of an epoch.
        rounds: number of rounds.

    Returns:
        Median seconds of each, and the ratios.
    """
    world = draw_signs(images, 0.2, seed=1)
    asked = ProbeSet(draw_signs(probes, 0.2, split="test", seed=1).images.astype(np.float32))
    plain, _ = plain_passes(subject.model, asked.images[0], probes * samples, (64, 128, 256))
    times: dict[str, list[float]] = {"plain": [], "callback": [], "epoch": []}
    with tempfile.TemporaryDirectory() as folder:
        explainer = LimeCallback(asked, folder, num_samples=samples, max_images=0, shortcut_threshold=None)
        explainer.explain(subject.model, 0)
        subject.model.fit(world.images, world.labels, epochs=1, verbose=0)
        for turn in range(rounds):
            times["plain"].append(seconds(plain))
            times["callback"].append(seconds(partial(explainer.explain, subject.model, turn + 1)))
            times["epoch"].append(seconds(lambda: subject.model.fit(world.images, world.labels, epochs=1, verbose=0)))
        explainer.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    over = statistics.median(a / b for a, b in zip(times["callback"], times["plain"], strict=True))
    share = medians["callback"] / medians["epoch"]
    print(f"\nCallback, {probes} probes × {samples} samples on the small CNN, {rounds} rounds")
    print(f"  {over:.2f}× of {probes * samples:,} plain forward passes; {share:.0%} of an epoch of {images:,} pictures")
    print(f"  callback {medians['callback']:.3f} s, epoch {medians['epoch']:.3f} s", flush=True)
    return {"over_plain": over, "share_of_epoch": share, "seconds": medians}


def linearity(subject: Subject, probes: tuple[int, ...], samples: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Seconds of an explained epoch by number of probes, at the middle number of samples, and the other way round."""
    middle = probes[len(probes) // 2], samples[len(samples) // 2]
    pictures = draw_signs(max(probes), 0.2, split="test", seed=2).images.astype(np.float32)
    found: dict[str, list[list[float]]] = {"probes": [], "samples": []}
    for name, count, each in [("probes", count, middle[1]) for count in probes] + [
        ("samples", middle[0], each) for each in samples
    ]:
        with tempfile.TemporaryDirectory() as folder:
            explainer = LimeCallback(
                ProbeSet(pictures[:count]), folder, num_samples=each, max_images=0, shortcut_threshold=None
            )
            explainer.explain(subject.model, 0)
            times = [seconds(partial(explainer.explain, subject.model, turn + 1)) for turn in range(rounds)]
            explainer.close()
        found[name].append([count if name == "probes" else each, statistics.median(times)])
    for name, rows in found.items():
        x, y = np.array(rows).T
        slope, start = np.polyfit(x, y, 1)
        off = np.abs(y - slope * x - start).max() / y.max()
        line = f"{slope * 1e3:.2f} ms each and {start * 1e3:.0f} ms"
        print(f"\nCost over {name}: {line}; off the line by {off:.1%} of the largest at most", flush=True)
    return {"middle": {"probes": middle[0], "samples": middle[1]}, **found}


def plot_linearity(found: dict[str, Any], path: Path) -> None:
    """Draws what `linearity` found."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, name, fixed in zip(figure.subplots(1, 2), ("probes", "samples"), ("samples", "probes"), strict=True):
        x, y = np.array(found[name]).T
        slope, start = np.polyfit(x, y, 1)
        ax.plot(x, y, "o", color="#3366aa")
        ax.plot([0, x.max()], [start, start + slope * x.max()], color="#3366aa", linewidth=1)
        ax.set(xlabel=f"{name} ({found['middle'][fixed]} {fixed})", ylabel="seconds an epoch")
        ax.set(xlim=(0, None), ylim=(0, None))
    figure.savefig(path, dpi=120)


def starting(images: int, size: int) -> dict[str, Any]:
    """Seconds to plan a probe set, its superpixels found one after another and in threads."""
    names = ("chelsea", "coffee", "astronaut", "rocket")
    pictures = [photograph(names[each % 4], size) + each // 4 for each in range(images)]
    times: dict[str, float] = {}
    for name, patience in (("serial", float("inf")), ("threads", 0.0)):
        before, parallel.PATIENCE = parallel.PATIENCE, patience
        try:
            times[name] = seconds(lambda: make_plans(pictures, Settings(num_samples=256)))
        finally:
            parallel.PATIENCE = before
    serial, threads = times["serial"], times["threads"]
    print(f"\nPlanning {images} probes of {size}×{size}: {serial:.2f} s, in threads {threads:.2f} s", flush=True)
    return times
