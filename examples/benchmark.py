"""What explaining costs beside the model's own forward passes, measured side by side in one run.

    python examples/benchmark.py                            a small CNN, 64×64, 1,024 samples
    python examples/benchmark.py --model MODEL.keras        also a model of your own, 256 samples
    KERAS_BACKEND=torch python examples/benchmark.py        on another backend

Every round times each contestant once, in turn, so that a machine whose speed drifts treats them alike; the table holds
the median over the rounds of (time / time of as many plain forward passes in the same round). The plain pass is the
compiled model on batches that lie ready as tensors, at the batch size where it is fastest. `lime` takes part where it
is installed.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize

from keras_lime import explain

Contestant = Callable[[], object]


def small_cnn(size: int = 64, classes: int = 5) -> keras.Model:
    """Three convolutions, as in `stop_signs.py`, with random weights: they cost the same."""
    keras.utils.set_random_seed(0)
    layers: list[Any] = [keras.layers.Input((size, size, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (16, 32, 64):
        layers += [keras.layers.Conv2D(filters, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D()]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(classes, activation="softmax")]
    return keras.Sequential(layers)


def photograph(size: int) -> NDArray[np.float32]:
    """The cat of scikit-image, square, float32 in 0..255."""
    cat = data.chelsea()[:, 75:375]
    return np.asarray(resize(cat, (size, size), anti_aliasing=True) * 255, dtype=np.float32)


def compiled_forward(model: keras.Model) -> Callable[[NDArray[np.float32]], Callable[[], object]]:
    """A function from a batch to one compiled forward pass on it, with the batch on the device already."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            run = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
            return lambda batch: partial(lambda tensor: run(tensor).numpy(), tf.constant(batch))
        case "jax":
            import jax

            state = ([v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables])
            forward = jax.jit(lambda *given: model.stateless_call(*given, training=False)[0])
            return lambda batch: partial(lambda array: np.asarray(forward(*state, array)), jax.device_put(batch))
        case _:
            import torch

            def passed(tensor: Any) -> object:
                with torch.no_grad():
                    return model(tensor, training=False).cpu().numpy()

            return lambda batch: partial(passed, keras.ops.convert_to_tensor(batch))


def plain_passes(model: keras.Model, image: NDArray[np.float32], samples: int) -> tuple[Contestant, int]:
    """As many plain forward passes as there are samples, at the fastest of some batch sizes."""
    forward = compiled_forward(model)
    found: list[tuple[float, Contestant, int]] = []
    for size in (16, 32, 64, 128, 256):
        once = forward(np.repeat(image[None], size, axis=0))

        passes = partial(_repeat, once, math.ceil(samples / size))
        passes()
        found.append((min(seconds(passes) for _ in range(2)), passes, size))
    _, fastest, size = min(found, key=lambda entry: entry[0])
    return fastest, size


def _repeat(run: Callable[[], object], count: int) -> None:
    for _ in range(count):
        run()


def lime_contestants(model: keras.Model, image: NDArray[np.float32], samples: int) -> dict[str, Contestant]:
    """The `lime` package as it comes and with batches of 64, on the same superpixels; empty where it is missing."""
    try:
        from lime.lime_image import LimeImageExplainer
    except ImportError:
        return {}
    labels = explain(model, image, num_samples=samples, output="softmax").segmentation.labels
    explainer = LimeImageExplainer(random_state=0)
    run = partial(
        explainer.explain_instance,
        image.astype(np.float64),
        lambda batch: model.predict(batch, verbose=0),
        num_samples=samples,
        segmentation_fn=lambda _: labels,
    )
    try:
        from lime import lime_image

        lime_image.tqdm = lambda rows: rows
    except AttributeError:
        pass
    return {"lime, batch 64": partial(run, batch_size=64), "lime as it comes": run}


def seconds(run: Contestant) -> float:
    """Wall time of one run."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def compare(name: str, model: keras.Model, size: int, samples: int, rounds: int, output: str) -> dict[str, Any]:
    """Times all contestants in turn and prints a table."""
    image = photograph(size)
    plain, batch_size = plain_passes(model, image, samples)
    ours: Callable[[], Any] = partial(explain, model, image, num_samples=samples, output=output)
    found = ours()
    contestants: dict[str, Contestant] = {"keras_lime": ours, **lime_contestants(model, image, samples)}
    ratios: dict[str, list[float]] = {each: [] for each in contestants}
    base: list[float] = []
    for _ in range(rounds):
        base.append(seconds(plain))
        for each, run in contestants.items():
            ratios[each].append(seconds(run) / base[-1])
    print(f"\n{name}: {size}×{size}, {samples} samples, {found.segmentation.n_segments} superpixels, {rounds} rounds")
    print(f"  plain forward passes, batches of {batch_size}: {statistics.median(base):.3f} s")
    for each, values in ratios.items():
        print(f"  {each:<18} {statistics.median(values):6.2f}×   ({min(values):.2f} to {max(values):.2f})")
    return {
        "model": name,
        "size": size,
        "samples": samples,
        "superpixels": found.segmentation.n_segments,
        "plain_seconds": statistics.median(base),
        "over_plain": {each: statistics.median(values) for each, values in ratios.items()},
    }


def main() -> None:
    """Reads the command line, measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a .keras file that takes square colour images in 0..255")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed (default 7)")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    print(f"Keras {keras.version()} on {keras.backend.backend()}")
    results = [compare("small CNN", small_cnn(), 64, 1024, options.rounds, "softmax")]
    if options.model is not None:
        model = keras.saving.load_model(options.model, compile=False)
        size = int(model.input_shape[1])
        results.append(compare(options.model.stem, model, size, 256, options.rounds, "auto"))
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
