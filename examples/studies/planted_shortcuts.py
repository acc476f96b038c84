"""Is the alarm right? Networks with planted shortcuts: how much each leans on them, against what the callback reports.

Run `python examples/studies/planted_shortcuts.py`; it takes half an hour on two CPU cores and leaves a figure and a
table beside this file. `--quick` trains two networks for two epochs, to see that it runs; `--seeds 7 8 9` trains other
networks. Works under every Keras backend.

Fifteen networks learn traffic signs before scenes that go with the class more or less often, three before any scene but
with a tag of the class in a corner of the picture. After each epoch every test sign is shown with its class's own scene
(or tag) and with another one's: the accuracy lost is the network's true reliance, which nobody has for a network of
one's own. The callback knows nothing of it. It has thirty probes, from the same biased world or from an unbiased one.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from traffic_signs import CLASSES, TrafficSigns, draw_signs

from keras_lime import LimeCallback, ProbeSet
from keras_lime.tensorboard.records import SUMMARY_TAG, decode

__all__ = ["Network", "main", "report", "train"]

SIGN_SIZE = (0.3, 0.48)
CORRELATIONS = (0.2, 0.5, 0.8, 0.95, 1.0)
SEEDS = (404, 505, 606)
"""Others than those of the networks on which the alarm's thresholds were set."""
KINDS = ("biased", "unbiased")
THRESHOLD = 0.25
TAG_COLOURS = np.array([(230, 230, 230), (250, 210, 60), (60, 200, 250), (240, 90, 200), (110, 240, 110)], np.uint8)


@dataclass
class Network:
    """A training and what is known of it; lists have an entry per epoch.

    Attributes:
        correlation: how often a sign stands before its class's own scene; 0.2 is no correlation.
        tagged: whether a tag in a corner tells the class.
        seed: of pictures and weights.
        reliance: accuracy lost with another class's scene or tag.
        accuracy: training accuracy.
        flips: swap flip by kind of probes.
        errors: its standard errors.
        backgrounds: certainty that the background alone carries, by kind of probes.
        drops: largest fall of probability when a corner or border is hidden, without masks.
        alarms: epochs, from 1, at which the alarm was on for the first time, by kind of probes and "without masks".
        seconds: duration of the training, everything included.
    """

    correlation: float
    tagged: bool
    seed: int
    reliance: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    flips: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[float]] = field(default_factory=dict)
    backgrounds: dict[str, list[float]] = field(default_factory=dict)
    drops: list[float] = field(default_factory=list)
    alarms: dict[str, int | None] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """`"0.95"`, or `"tag"` for a network with a tag."""
        return "tag" if self.tagged else f"{self.correlation:g}"


def build_model() -> keras.Model:
    """Three convolutions for 64×64 pictures, 0..255; its normalisation keeps up with epochs of few batches."""
    model = keras.Sequential([keras.Input((64, 64, 3)), layers.Rescaling(1 / 127.5, offset=-1)])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(len(CLASSES), activation="softmax"))
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def add_tags(images: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Copies with a small dark tag in the bottom right corner, on which a mark's place and colour tell a class."""
    tagged = images.copy()
    for image, label in zip(tagged, classes, strict=True):
        tag = image[-9:-2, -14:-2]
        tag[:] = 20
        tag[1:-1, 1 + 2 * label : 4 + 2 * label] = TAG_COLOURS[label]
    return tagged


def train(correlation: float, tagged: bool, seed: int, *, n_images: int, n_probes: int, epochs: int) -> Network:
    """Trains one network under the eyes of three callbacks.

    Args:
        correlation: chance that a sign of the training set stands before its class's own scene.
        tagged: put a tag of the class in a corner of every training picture.
        seed: of pictures and weights.
        n_images: number of pictures to train on; a fifth as many signs serve to measure the reliance.
        n_probes: number of probes of each kind.
        epochs: number of epochs.

    Returns:
        The `Network`.
    """
    started, network = time.time(), Network(correlation, tagged, seed)
    rng = np.random.default_rng(seed)
    world = draw_signs(n_images, correlation, seed=seed, sign_size=SIGN_SIZE)
    images = add_tags(world.images, world.labels) if tagged else world.images
    labels = np.arange(n_images // 5) % len(CLASSES)
    others = (labels + rng.integers(1, len(CLASSES), len(labels))) % len(CLASSES)
    own, other = (_test_signs(correlation, tagged, seed, shown) for shown in (labels, others))

    with TemporaryDirectory() as log_dir:
        watchers = []
        for kind in (*KINDS, "without masks"):
            probes = _probes(kind, correlation, tagged, seed, n_probes, rng)
            watchers.append(_watcher(kind, probes, Path(log_dir), network))
        keras.utils.set_random_seed(seed)
        model = build_model()

        def measure(epoch: int, logs: Any) -> None:
            network.reliance.append(_accuracy(model, own, labels) - _accuracy(model, other, labels))

        truth = keras.callbacks.LambdaCallback(on_epoch_end=measure)
        history = model.fit(images, world.labels, epochs=epochs, callbacks=[truth, *watchers], verbose=0).history
        for kind in KINDS:
            arrays = _summaries(Path(log_dir) / kind)
            network.flips[kind] = [float(each["swap_flip"]) for each in arrays]
            network.errors[kind] = [float(each["swap_flip_stderr"]) for each in arrays]
            network.backgrounds[kind] = [float(each["p_background"]) for each in arrays]
        network.drops = [float(each["occlusion_drop"].max()) for each in _summaries(Path(log_dir) / "without masks")]
    network.accuracy = history["accuracy"]
    network.seconds = time.time() - started
    return network


def _summaries(run: Path) -> list[Mapping[str, NDArray[Any]]]:
    """What a callback has logged about all of its probes, one entry per epoch."""
    events = EventAccumulator(str(run), size_guidance={"tensors": 0})
    events.Reload()
    return [decode(list(event.tensor_proto.string_val)).arrays for event in events.Tensors(SUMMARY_TAG)]


def _accuracy(model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    return float(np.mean(model.predict(images, batch_size=100, verbose=0).argmax(axis=1) == labels))


def _test_signs(correlation: float, tagged: bool, seed: int, shown: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Test pictures before the scenes of some classes, or with their tags."""
    if tagged:
        return add_tags(_draw(len(shown), 0.2, seed).images, shown)
    return draw_signs(
        len(shown), correlation, split="test", seed=seed, sign_size=SIGN_SIZE, scenes=shown.tolist()
    ).images


def _draw(count: int, correlation: float, seed: int) -> TrafficSigns:
    return draw_signs(count, correlation, split="test", seed=seed, sign_size=SIGN_SIZE)


def _probes(kind: str, correlation: float, tagged: bool, seed: int, count: int, rng: np.random.Generator) -> ProbeSet:
    """Probes of the training's own world, or of one in which neither scene nor tag tells the class."""
    unbiased = kind == "unbiased"
    # Other signs than those that measure the reliance: other seeds.
    drawn = _draw(count, 0.2 if unbiased else correlation, seed + 1 + unbiased)
    images = drawn.images
    if tagged:
        images = add_tags(images, rng.integers(0, len(CLASSES), count) if unbiased else drawn.labels)
    masks = None if kind == "without masks" else drawn.masks
    return ProbeSet(images, drawn.labels, masks=masks, class_names=CLASSES)


def _watcher(kind: str, probes: ProbeSet, log_dir: Path, network: Network) -> LimeCallback:
    network.alarms[kind] = None

    def note(verdict: Any) -> None:
        network.alarms[kind] = network.alarms[kind] or len(network.reliance)
        print(f"    epoch {len(network.reliance)}, {kind}: {verdict.message}", flush=True)

    # The shortcut tests do not need LIME's weights: few samples do.
    return LimeCallback(
        probes,
        log_dir,
        name=kind,
        max_images=0,
        verbose=0,
        on_alarm=note,
        segmentation="grid",
        n_segments=16,
        num_samples=32,
    )


def report(networks: Sequence[Network]) -> str:
    """The findings as Markdown: agreement of score and truth, alarms, and a row for each network."""
    epochs = len(networks[0].reliance)
    shown = [each for each in (1, 2, 4, 8) if each <= epochs]
    lines = ["# Planted shortcuts", "", __doc__.split("\n\n")[2].replace("\n", " ") if __doc__ else "", ""]
    lines += ["| after epoch | " + " | ".join(map(str, shown)) + " |", "|---|" + "---|" * len(shown)]
    for kind in KINDS:
        truth = np.array([each.reliance for each in networks])
        score = np.array([each.flips[kind] for each in networks])
        ranks = [float(spearmanr(truth[:, k - 1], score[:, k - 1]).statistic) for k in shown]
        errors = [float(np.abs(truth[:, k - 1] - score[:, k - 1]).mean()) for k in shown]
        lines.append(f"| Spearman correlation of swap flip and reliance, {kind} probes | {_row(ranks)} |")
        lines.append(f"| mean absolute difference of the two, {kind} probes | {_row(errors)} |")
    lines += [
        "",
        "Networks with an alarm at any epoch, and the epoch (from 1) at which the first and the last came:",
        "",
    ]
    titles = list(dict.fromkeys(each.title for each in networks))
    lines += ["| correlation | " + " | ".join(titles) + " |", "|---|" + "---|" * len(titles)]
    for kind in (*KINDS, "without masks"):
        cells = [_alarms([each.alarms[kind] for each in networks if each.title == title]) for title in titles]
        title = kind if kind == "without masks" else f"{kind} probes"
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for kind in KINDS:
        cells = [_alarms([_by_flip_alone(each, kind) for each in networks if each.title == title]) for title in titles]
        lines.append(f"| {kind} probes, by swap flip alone | " + " | ".join(cells) + " |")
    lines += ["", *_margins(networks)]
    lines += [
        "",
        "Every network: reliance, then swap flip with biased and with unbiased probes, after these epochs.",
        "",
    ]
    heads = [f"{what} {k}" for what in ("reliance", *KINDS) for k in shown]
    lines += ["| correlation | seed | " + " | ".join(heads) + " | alarm |", "|---|---|" + "---|" * (len(heads) + 1)]
    for each in networks:
        cells = [_row([values[k - 1] for k in shown]) for values in (each.reliance, *each.flips.values())]
        alarm = " / ".join("–" if epoch is None else str(epoch) for epoch in each.alarms.values())
        lines.append(f"| {each.title} | {each.seed} | {' | '.join(cells)} | {alarm} |")
    lines += ["", f"{len(networks)} networks in {sum(each.seconds for each in networks) / 60:.0f} minutes."]
    return "\n".join(lines) + "\n"


def _margins(networks: Sequence[Network]) -> list[str]:
    """How near the networks without a shortcut come to the thresholds, and what a share of 30 probes is worth."""
    clean = [each for each in networks if each.correlation == min(CORRELATIONS) and not each.tagged]
    lines = ["Networks whose training had no shortcut, at most at any epoch from training accuracy 0.5 on:", ""]
    lines += ["| probes | swap flip | certainty of the background alone |", "|---|---|---|"]
    for kind in KINDS:
        highest = [_highest(values, clean, kind) for values in ("flips", "backgrounds")]
        lines.append(f"| {kind} | {' | '.join(highest)} |")
    untagged = [each for each in networks if not each.tagged]
    counted = [drop for each in untagged for drop, of in zip(each.drops, each.accuracy, strict=True) if of >= 0.5]
    if counted:
        lines += ["", f"Hiding a corner or border takes at most {max(counted):.2f} off networks without a tag."]
    errors = np.array([each.errors[kind] for each in networks for kind in KINDS]).ravel()
    flips = np.array([each.flips[kind] for each in networks for kind in KINDS]).ravel()
    middle = errors[(flips > 0.25) & (flips < 0.75)]
    if len(middle):
        lines.append(
            f"Standard error of the swap flip: {errors.mean():.3f} on average, {middle.mean():.3f} where it is between "
            "0.25 and 0.75."
        )
    return lines


def _highest(name: str, networks: Sequence[Network], kind: str) -> str:
    pairs = [zip(getattr(each, name)[kind], each.accuracy, strict=True) for each in networks]
    counted = [value for pair in pairs for value, accuracy in pair if accuracy >= 0.5]
    return f"{max(counted):.2f}" if counted else "–"


def _by_flip_alone(network: Network, kind: str) -> int | None:
    """The epoch at which an alarm would come that looks at the swap flip of all probes alone."""
    pairs = zip(network.flips[kind], network.accuracy, strict=True)
    high = [flip > THRESHOLD and accuracy >= 0.5 for flip, accuracy in pairs]
    return next((k + 2 for k in range(len(high) - 1) if high[k] and high[k + 1]), None)


def _row(values: Sequence[float]) -> str:
    return " | ".join(f"{value:.2f}" for value in values)


def _alarms(epochs: Sequence[int | None]) -> str:
    found = sorted(epoch for epoch in epochs if epoch is not None)
    span = f", epochs {found[0]}–{found[-1]}" if found else ""
    return f"{len(found)} of {len(epochs)}{span}"


def draw(networks: Sequence[Network]) -> Figure:
    """Swap flip against reliance: one panel a kind of probes, a line per network over its epochs."""
    figure = Figure(figsize=(9, 4.6), layout="constrained", dpi=120)
    panels = figure.subplots(1, len(KINDS), sharex=True, sharey=True)
    titles = list(dict.fromkeys(each.title for each in networks))
    colours = dict(zip(titles, ("#2166cc", "#66a7c9", "#b9a13a", "#e67e00", "#c0261f", "#7a3fa0"), strict=False))
    for kind, panel in zip(KINDS, panels, strict=True):
        panel.plot((0, 1), (0, 1), color="0.8", linewidth=1)
        panel.axhline(THRESHOLD, color="0.4", linewidth=1, linestyle="--")
        for network in networks:
            colour, flips = colours[network.title], network.flips[kind]
            panel.plot(network.reliance, flips, color=colour, linewidth=0.7, alpha=0.5)
            panel.scatter(network.reliance[:-1], flips[:-1], s=9, color=colour, alpha=0.6)
            first = network is next(each for each in networks if each.title == network.title)
            title = ("corner tag" if network.tagged else f"correlation {network.title}") if first else None
            panel.scatter(network.reliance[-1], flips[-1], s=45, color=colour, edgecolor="black", label=title)
        panel.set(title=f"{kind} probes", xlabel="true reliance: accuracy lost with another scene or tag")
    panels[0].set_ylabel("swap flip that the callback reports")
    panels[0].legend(fontsize=8, title="large: last epoch", title_fontsize=8)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains all networks, prints and writes what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for figure and table")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="a network of each kind for each")
    parser.add_argument("--quick", action="store_true", help="two networks, few pictures: see that it runs")
    options = parser.parse_args(arguments)
    plan = [(correlation, False, seed) for correlation in CORRELATIONS for seed in options.seeds]
    plan += [(0.2, True, seed) for seed in options.seeds]
    sizes = {"n_images": 2000, "n_probes": 30, "epochs": options.epochs}
    if options.quick:
        plan, sizes = [plan[-4], plan[-1]], {"n_images": 200, "n_probes": 10, "epochs": 2}
    networks = []
    for number, (correlation, tagged, seed) in enumerate(plan, 1):
        print(f"{number} of {len(plan)}: {'corner tag' if tagged else f'correlation {correlation}'}, seed {seed}")
        networks.append(train(correlation, tagged, seed, **sizes))
        last = networks[-1]
        flips = ", ".join(f"{kind} {values[-1]:.2f}" for kind, values in last.flips.items())
        print(f"    reliance {last.reliance[-1]:.2f}, swap flip {flips}, {last.seconds:.0f} s", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    found = report(networks)
    print("\n" + found)
    (options.out / "planted_shortcuts.md").write_text(found, encoding="utf-8")
    draw(networks).savefig(options.out / "planted_shortcuts.png")


if __name__ == "__main__":
    main()
