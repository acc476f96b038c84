"""What the callback costs in a training, whether cost is linear in probes and samples, and the start of a probe set."""

import statistics
import tempfile
import time
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
    """Times an explained epoch against the plain forward passes that it makes, and against an epoch of training.

    Once with every epoch explained by itself, once with `carry_over=True`, from its second explained epoch on.

    Args:
        subject: the small network.
        probes: number of probes.
        samples: perturbations of each.
        images: number of pictures of an epoch.
        rounds: number of rounds; the network is trained for an epoch in each.

    Returns:
        By way of explaining the median seconds, and the medians over rounds of the ratios.
    """
    world = draw_signs(images, 0.2, seed=1)
    asked = ProbeSet(draw_signs(probes, 0.2, split="test", seed=1).images.astype(np.float32))
    plain, _ = plain_passes(subject.model, asked.images[0], probes * samples, (64, 128, 256))
    ways = {"every epoch by itself": False, "carry_over=True": True}
    found: dict[str, dict[str, list[float]]] = {
        way: {"seconds": [], "over": [], "share": [], "made": []} for way in ways
    }
    with tempfile.TemporaryDirectory() as folder:
        explainers = {
            way: LimeCallback(
                asked,
                Path(folder) / str(carry_over),
                num_samples=samples,
                max_images=0,
                shortcut_threshold=None,
                carry_over=carry_over,
            )
            for way, carry_over in ways.items()
        }
        for explainer in explainers.values():
            explainer.explain(subject.model, 0)
        subject.model.fit(world.images, world.labels, epochs=1, verbose=0)
        for turn in range(rounds):
            epoch = seconds(lambda: subject.model.fit(world.images, world.labels, epochs=1, verbose=0))
            for way, explainer in explainers.items():
                before = seconds(plain)
                began = time.perf_counter()
                explained = explainer.explain(subject.model, turn + 1)
                took = time.perf_counter() - began
                made = sum(each.num_samples or 0 for each in explained)
                # The machine's speed drifts: plain passes just before and after.
                each = (before + seconds(plain)) / 2 / (probes * samples)
                for name, value in zip(found[way], (took, took / made / each, took / epoch, made), strict=True):
                    found[way][name].append(value)
        for explainer in explainers.values():
            explainer.close()
    medians = {way: {name: statistics.median(of) for name, of in lists.items()} for way, lists in found.items()}
    print(f"\nCallback, {probes} probes × {samples} samples on the small CNN, {rounds} rounds")
    for way, median in medians.items():
        print(
            f"  {way:<22} {median['seconds']:.3f} s, {median['over']:.2f}× of the {median['made']:,.0f} plain forward "
            f"passes it makes; {median['share']:.1%} of an epoch of {images:,} pictures",
            flush=True,
        )
    return medians


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
