"""`cure()`: a model with a shortcut → one without it, and a receipt. May import Keras."""

from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, NamedTuple

from keras_lime.curing.evidence import gather, receipt_of
from keras_lime.curing.finetune import EPOCHS, finetune
from keras_lime.curing.last_layer import refit_on_composites
from keras_lime.curing.measure import Examination
from keras_lime.curing.model_copy import check_model
from keras_lime.curing.receipt import Receipt
from keras_lime.curing.swap_backgrounds import check_pool
from keras_lime.data.models import first_line
from keras_lime.probes import ProbeSet
from keras_lime.scoring.infer_output import infer_output
from keras_lime.training.callback import LimeCallback

__all__ = ["Cure", "cure"]

Method = Literal["finetune", "head"]

METHODS = ("finetune", "head")


class Cure(NamedTuple):
    """What `cure` gives.

    Attributes:
        model: the cured model; the given one is unchanged.
        receipt: before and after.
    """

    model: Any
    receipt: Receipt


def cure(
    model: Any,
    train_data: Any,
    pool: ProbeSet,
    method: Method = "finetune",
    *,
    validation_data: Any = None,
    probes: ProbeSet | None = None,
    epochs: int = EPOCHS,
    log_dir: str | PathLike[str] | None = None,
    seed: int = 0,
    verbose: int = 0,
) -> Cure:
    """Trains a copy of a model until backgrounds tell it nothing, and measures what that changed.

    Args:
        model: a Keras classifier, softmax or logits. It is never changed.
        train_data: what it was trained on: arrays `(images, labels)`, a batched `tf.data.Dataset`, a `PyDataset`, a
            torch `DataLoader`. `"head"` does not read it.
        pool: training images with labels and object masks or boxes, of every class; 250 do well, 30 help. Without masks
            and boxes outlines are estimated, which brings less.
        method: `"finetune"` trains all layers some epochs more, on batches of which three quarters are composites:
            objects of the pool on other backgrounds. `"head"` fits the last layer anew on composites; it is
            done in seconds and needs no training data. Defaults to `"finetune"`.
        validation_data: images and labels for the receipt, what `fit` takes. Defaults to `None`, not measured.
        probes: images for the shortcut tests of the receipt, best with labels and masks; none of them may be in the
            pool. Defaults to `None`, not measured.
        epochs: of `"finetune"`, in which the learning rate falls. Up to four times as many come before, for as long as
            the model does not know the objects: one or two where it had learned them too, a dozen where it read
            nothing but backgrounds. Defaults to `4`.
        log_dir: also logs the probes before (step 0) and after (step 1) to the run `<log_dir>/lime`, for TensorBoard.
            Defaults to `None`, no log.
        seed: decides composites, shuffling and bootstrap. Defaults to `0`.
        verbose: as of `fit`. Defaults to `0`.

    Returns:
        The cured model and the receipt, `model, receipt = cure(...)`.

    Raises:
        TypeError: if `model` is no Keras model, or `pool` or `probes` no `ProbeSet`.
        ValueError: if model and method do not fit, the pool cannot serve or lacks a class, or probes are in it.

    Example:
        >>> cured, receipt = cure(model, (x_train, y_train), pool, validation_data=(x_val, y_val), probes=probes)
        >>> print(receipt)
        >>> cured.save("cured.keras")
    """
    _check(model, pool, method, validation_data, probes, epochs)
    # First of all what the receipt needs: a training should not end with an error about it.
    examination = None if probes is None else Examination(probes, seed)
    before = gather(model, validation_data, examination)
    cured = _cured(model, train_data, pool, method, epochs, seed, verbose)
    after = gather(cured, validation_data, examination)
    if log_dir is not None and probes is not None:
        _log(model, cured, probes, Path(fspath(log_dir)), seed)
    return Cure(cured, receipt_of(before, after, seed))


def _cured(model: Any, train_data: Any, pool: ProbeSet, method: str, epochs: int, seed: int, verbose: int) -> Any:
    if method == "head":
        return refit_on_composites(model, pool, seed=seed)
    logits = infer_output(model).from_logits
    return finetune(model, train_data, pool, epochs=epochs, from_logits=logits, seed=seed, verbose=verbose)


def _log(model: Any, cured: Any, probes: ProbeSet, log_dir: Path, seed: int) -> None:
    callback = LimeCallback(probes, log_dir, baseline="grey", seed=seed, verbose=0)
    callback.explain(model, 0)
    callback.explain(cured, 1)
    callback.close()


def _check(model: Any, pool: Any, method: Any, validation_data: Any, probes: Any, epochs: Any) -> None:
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}. Received: method={method!r}.")
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"`epochs` must be a whole number, at least 1. Received: epochs={epochs!r}.")
    if probes is not None and not isinstance(probes, ProbeSet):
        raise TypeError(f"`probes` must be a ProbeSet, or None. Received: {type(probes).__name__}.")
    if isinstance(validation_data, Iterator):
        raise TypeError(
            "`validation_data` must be readable twice, before and after the cure. Received: "
            f"{type(validation_data).__name__}, which is read once. Give arrays or a data set."
        )
    check_pool(pool)
    shared = [] if probes is None else sorted(set(pool.ids) & set(probes.tested.ids))
    if shared:
        raise ValueError(
            f"`pool` must hold none of the probes: the proof would be circular. Received: {len(shared)} images in "
            f"both, the first with id {shared[0]}. Take training images for the pool, validation images for probes."
        )
    _check_model(model, pool, method)


def _check_model(model: Any, pool: ProbeSet, method: str) -> None:
    check_model(model)
    n_inputs = len(getattr(model, "inputs", None) or [None])
    if n_inputs > 1:
        raise ValueError(
            f"`model` must take images alone. Received: a model with {n_inputs} inputs, of which composites know one. "
            "Put `SwapBackgrounds` on the images in your own training."
        )
    try:
        meaning = infer_output(model)
    except ValueError as error:
        raise ValueError(
            "`model` must say what its output means. Compile it with the loss of its training, or end it in a softmax. "
            f"{first_line(error)}"
        ) from error
    if meaning.kind not in ("softmax", "sigmoid") or (meaning.kind == "sigmoid" and method != "finetune"):
        raise ValueError(
            f"`model` must be a classifier of images that have one class each. Received: an output of kind "
            f"{meaning.kind!r}" + (' with one column; take method="finetune".' if meaning.kind == "sigmoid" else ".")
        )
    wanted, own = tuple(model.input_shape[1:]), pool.images.shape[1:]
    own = own if len(own) == len(wanted) else (*own, 1)
    if any(one not in (None, two) for one, two in zip(wanted, own, strict=True)):
        raise ValueError(
            f"`pool` must hold images of the shape that the model takes, {wanted}. Received: shape={own}. Resize them, "
            "and their masks or boxes too."
        )
