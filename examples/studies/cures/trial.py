"""One cell of the study: a network is trained or loaded, cured, tested, and its receipt compared with the truth."""

import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from cures.afr import reweighted
from cures.cells import BASE, Cell, Outcome

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cure_stop_signs import boxes_of
from stop_signs import BATCH_SIZE, build_model
from toys import draw_toys
from traffic_signs import TrafficSigns, draw_signs

from keras_lime import ProbeSet, SwapBackgrounds, cure
from keras_lime.curing.evidence import Evidence, gather, receipt_of
from keras_lime.curing.measure import Examination

__all__ = ["Study"]

_DRAW: dict[str, Callable[..., TrafficSigns]] = {"signs": draw_signs, "toys": draw_toys}

_EPOCHS = 8


class _Network(NamedTuple):
    """A trained network with everything that its cures share."""

    train: TrafficSigns
    tests: tuple[TrafficSigns, TrafficSigns]
    held_out: TrafficSigns
    examination: Examination
    model: Any
    hits: tuple[NDArray[np.float64], NDArray[np.float64]]


class Study:
    """Runs cells; what several need is made once.

    Args:
        folder: keeps the trained networks.
        receipts: whether receipts are made, which takes longer than a cure.
    """

    def __init__(self, folder: Path, receipts: bool = True) -> None:
        self._folder, self._receipts = folder, receipts
        self._network = lru_cache(maxsize=2)(self._make_network)
        self._before = lru_cache(maxsize=2)(self._make_evidence)

    def run(self, cell: Cell) -> Outcome:
        """Measures one cell."""
        began = time.process_time()
        network = self._network(cell.world, cell.correlation, cell.seed, cell.n_images)
        model = self._model(cell, network)
        hits = [_hits(model, test) for test in network.tests]
        changes = [after - before for before, after in zip(network.hits, hits, strict=True)]
        (gain, gain_error), (change, change_error) = (
            (float(each.mean()), float(each.std() / len(each) ** 0.5)) for each in changes
        )
        receipt, sentence = self._receipt(cell, network, model)
        return Outcome(
            cell=cell,
            elsewhere=float(hits[0].mean()),
            same=float(hits[1].mean()),
            gain=gain,
            gain_error=gain_error,
            change=change,
            change_error=change_error,
            receipt=receipt,
            sentence=sentence,
            seconds=time.process_time() - began,
        )

    def _model(self, cell: Cell, network: _Network) -> Any:
        data = (network.train.images, network.train.labels)
        if cell.method == BASE:
            return network.model
        if cell.method == "afr":
            return reweighted(network.model, network.train)
        pool = _pool(network.train, cell.pool, cell.outlines)
        if cell.method == "new":
            return _trained(cell, SwapBackgrounds(pool, seed=cell.seed).dataset(data), 2 * _EPOCHS)
        return cure(network.model, data, pool, cell.method, seed=cell.seed).model  # type: ignore[arg-type]

    def _receipt(self, cell: Cell, network: _Network, model: Any) -> tuple[str, str]:
        if not self._receipts or cell.method not in ("finetune", "head"):
            return "", ""
        before = self._before(cell.world, cell.correlation, cell.seed, cell.n_images)
        receipt = receipt_of(before, _evidence(network, model), cell.seed)
        return str(receipt.outcome), receipt.sentences[0]

    def _make_evidence(self, world: str, correlation: float, seed: int, n_images: int) -> Evidence:
        network = self._network(world, correlation, seed, n_images)
        return _evidence(network, network.model)

    def _make_network(self, world: str, correlation: float, seed: int, n_images: int) -> _Network:
        draw = _DRAW[world]
        n_test, n_probes = (1000, 60) if n_images >= 1000 else (100, 10)
        train = draw(n_images, correlation, seed=seed)
        elsewhere, same = (draw(n_test, share, split="test", seed=seed) for share in (0.0, correlation))
        # Other images than those of the tests, which are what the receipt is judged by.
        held_out = draw(n_test // 2, correlation, split="test", seed=seed + 1000)
        shown = draw(n_probes, correlation, split="test", seed=seed + 2000)
        probes = ProbeSet(shown.images, shown.labels, masks=shown.masks).explaining(20)
        file = self._folder / f"{world}-{correlation}-{seed}-{n_images}.keras"
        if file.exists():
            model = keras.saving.load_model(file)
        else:
            cell = Cell(world, correlation, seed, n_images)
            model = _trained(cell, train.images, _EPOCHS, y=train.labels, batch_size=BATCH_SIZE)
            model.save(file)
        hits = _hits(model, elsewhere), _hits(model, same)
        return _Network(train, (elsewhere, same), held_out, Examination(probes, seed), model, hits)


def _trained(cell: Cell, data: Any, epochs: int, **given: Any) -> Any:
    keras.utils.set_random_seed(cell.seed)
    model = build_model(epochs * -(-cell.n_images // BATCH_SIZE))
    model.fit(data, epochs=epochs if cell.n_images >= 1000 else 1, verbose=0, **given)
    return model


def _evidence(network: _Network, model: Any) -> Evidence:
    return gather(model, (network.held_out.images, network.held_out.labels), network.examination)


def _hits(model: Any, test: TrafficSigns) -> NDArray[np.float64]:
    predicted: NDArray[np.float32] = model.predict(test.images, batch_size=100, verbose=0)
    hits: NDArray[np.float64] = (predicted.argmax(axis=1) == test.labels).astype(np.float64)
    return hits


def _pool(world: TrafficSigns, count: int, kind: str) -> ProbeSet:
    images, labels, masks = world.images[:count], world.labels[:count], world.masks[:count]
    if kind == "estimates":
        return ProbeSet(images, labels)
    return ProbeSet(images, labels, masks=masks) if kind == "masks" else ProbeSet(images, labels, boxes=boxes_of(masks))
