"""Compiled engines, kept as long as their models live and stay the same. May import the registry of backends."""

import math
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from keras_lime.scoring.engines.backends import active_backend
from keras_lime.scoring.engines.engine import Engine, EngineSpec
from keras_lime.scoring.engines.limits import fixed_batch_size, may_halve
from keras_lime.scoring.input_layout import IMAGE_ALONE, InputLayout
from keras_lime.scoring.prediction import prediction_of

__all__ = ["automatic_batch_size", "engine_for", "smaller_engine"]

_KEPT = 8
"""Engines kept per model: one per image shape, head and batch size; images of many sizes must not fill the memory."""

_PIXELS = 600_000
"""Pixels per batch on a processor: more rows do not make it faster, fewer leave less of the last batch empty."""

_MOST_PIXELS = 2**23
"""Pixels per batch of large images, of which a batch should otherwise have at least 8."""

_Request = tuple[tuple[int, ...], str | int | None, int | None, InputLayout]


@dataclass
class _Compiled:
    structure: list[Any]
    engines: OrderedDict[_Request, Engine] = field(default_factory=OrderedDict)


# Weak in the model, and so must everything within be: whatever held the model here would keep it alive for ever.
_COMPILED: weakref.WeakKeyDictionary[Any, _Compiled] = weakref.WeakKeyDictionary()


def engine_for(
    model: Any,
    image_shape: tuple[int, ...],
    head: str | int | None = None,
    batch_size: int | None = None,
    layout: InputLayout = IMAGE_ALONE,
) -> Engine:
    """The model's engine, compiled at the first call and again only if its layers change.

    Args:
        model: a built Keras model.
        image_shape: (h, w) or (h, w, c) of one image.
        head: name or index of the output. Defaults to `None`, the only one.
        batch_size: rows per batch. Defaults to `None`, chosen by the model or from the image size.
        layout: how the model takes the image, and what beside it. Defaults to the image alone.

    Returns:
        An `Engine`; with fewer rows than asked for if compiling it ran out of memory.

    Raises:
        ValueError: if the model does not accept such images, or `head` names no output.
    """
    structure = _structure(model)
    compiled = _COMPILED.get(model)
    if compiled is None or not _same(compiled.structure, structure):
        compiled = _COMPILED[model] = _Compiled(structure)
    request = (image_shape, head, batch_size, layout)
    if request not in compiled.engines:
        rows = batch_size or automatic_batch_size(model, image_shape)
        _keep(compiled, request, _compile(model, EngineSpec(image_shape, head, rows, layout)))
    compiled.engines.move_to_end(request)
    return compiled.engines[request]


def smaller_engine(
    model: Any,
    image_shape: tuple[int, ...],
    head: str | int | None,
    batch_size: int | None,
    layout: InputLayout = IMAGE_ALONE,
    *,
    used: int,
) -> Engine:
    """Replaces an engine that ran out of memory by one with half the rows, for later calls too.

    Args:
        model: as the next four arguments, what `engine_for` was asked for.
        image_shape: likewise.
        head: likewise.
        batch_size: likewise.
        layout: likewise.
        used: the rows per batch that were too many.

    Returns:
        What `engine_for` gives from now on.
    """
    engine = engine_for(model, image_shape, head, batch_size, layout)
    if engine.spec.batch_size < used:
        return engine
    smaller = _compile(model, EngineSpec(image_shape, head, max(1, used // 2), layout))
    _keep(_COMPILED[model], (image_shape, head, batch_size, layout), smaller)
    return smaller


def automatic_batch_size(model: Any, image_shape: tuple[int, ...]) -> int:
    """Rows per batch for an image shape: a power of two from 8 to 128, on an accelerator eight times as many.

    Of images above a million pixels fewer than 8, down to one: a batch of photographs as they come from a camera takes
    gigabytes, and saves nothing.
    """
    fixed = fixed_batch_size(model)
    if fixed is not None:
        return fixed
    pixels = image_shape[0] * image_shape[1]
    rows: int = 2 ** round(math.log2(_PIXELS / pixels)) if pixels < _PIXELS else 1
    least = min(max(_MOST_PIXELS // pixels, 1), 8)
    return min(max(rows, least), 128) * (8 if active_backend().accelerators(model) else 1)


def _keep(compiled: _Compiled, request: _Request, engine: Engine) -> None:
    compiled.engines[request] = engine
    while len(compiled.engines) > _KEPT:
        compiled.engines.popitem(last=False)


def _compile(model: Any, spec: EngineSpec) -> Engine:
    while True:
        try:
            return active_backend().compile(model, spec)
        except Exception as error:
            if not may_halve(error, model, spec.batch_size):
                raise
        # Here and not in the handler, where the error still holds what was allocated.
        spec = replace(spec, batch_size=spec.batch_size // 2)


def _structure(model: Any) -> list[Any]:
    """What the compiled function depends on beside the values of the weights."""
    parts: list[Any] = list(model.variables)
    # An attached preprocessor can be exchanged, and methods can be set on the model itself.
    parts += [prediction_of(model), getattr(model, "preprocessor", None), getattr(model.predict_step, "__func__", None)]
    for layer in model._flatten_layers():
        parts += [layer, layer.dtype_policy.name, getattr(layer, "activation", None)]
    return [_weak(part) for part in parts]


def _weak(part: Any) -> Any:
    try:
        return weakref.ref(part)
    except TypeError:
        return part


def _same(old: list[Any], new: list[Any]) -> bool:
    return len(old) == len(new) and all(
        _alive(one) is _alive(two) or one == two for one, two in zip(old, new, strict=True)
    )


def _alive(part: Any) -> Any:
    return part() if isinstance(part, weakref.ref) else part
