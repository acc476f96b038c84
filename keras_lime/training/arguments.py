"""What users give to `LimeCallback`, checked before anything is made. May import the probes."""

import operator
from os import PathLike
from pathlib import Path
from typing import Any

from keras_lime.data.folder_path import folder_path
from keras_lime.probes import ProbeSet

__all__ = ["check_arguments", "check_epoch", "check_log_dir"]

_LAST_STEP = 2**31 - 1
"""TensorBoard counts further, but the page and its routes count steps in 32 bits."""


def check_arguments(
    probes: Any, log_dir: Any, name: Any, max_images: Any, verbose: Any, on_alarm: Any, on_error: Any
) -> None:
    """Refuses what cannot work.

    Raises:
        TypeError: for an argument of a wrong type.
        ValueError: for a value out of range.
    """
    if not isinstance(probes, ProbeSet):
        raise TypeError(
            f"`probes` must be a ProbeSet. Received: {type(probes).__name__}. Make one with `ProbeSet(images, labels)` "
            "or `ProbeSet.from_dataset(val_ds, num_probes=20)`."
        )
    if not callable(log_dir):
        check_log_dir(log_dir)
    if (
        not isinstance(name, str)
        or not name
        or "/" in name
        or "\\" in name
        or name in {".", "..", "train", "validation"}
    ):
        raise ValueError(
            "`name` must name a folder beside Keras' own `train` and `validation`, without slashes. "
            f"Received: name={name!r}."
        )
    if not isinstance(max_images, int) or max_images < 0:
        raise ValueError(f"`max_images` must be an integer of at least 0. Received: max_images={max_images!r}.")
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'`verbose` must be "auto", 0, 1 or 2. Received: verbose={verbose!r}.')
    if on_error not in ("warn", "raise"):
        raise ValueError(f'`on_error` must be "warn" or "raise". Received: on_error={on_error!r}.')
    if on_alarm is not None and not callable(on_alarm):
        raise TypeError(f"`on_alarm` must be a function of the verdict, or None. Received: on_alarm={on_alarm!r}.")


def check_log_dir(log_dir: Any) -> Path:
    """The folder, where `log_dir` is one, of this machine or of a store.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(log_dir, str | PathLike) or not str(log_dir) or "\0" in str(log_dir):
        raise ValueError(
            '`log_dir` must be a folder, an address such as "gs://bucket/logs", or a function without arguments that '
            f"gives one. Received: log_dir={log_dir!r}."
        )
    return folder_path("log_dir", log_dir)


def check_epoch(epoch: Any) -> int:
    """The epoch as an integer of Python.

    Raises:
        TypeError: for no integer; True is none.
        ValueError: for one below 0, or above what TensorBoard's page can count.
    """
    try:
        step = operator.index(epoch)
    except TypeError:
        step = None
    if step is None or isinstance(epoch, bool):
        raise TypeError(f"`epoch` must be an integer, the step to log under. Received: epoch={epoch!r}.")
    if not 0 <= step <= _LAST_STEP:
        raise ValueError(f"`epoch` must be 0 to {_LAST_STEP:,}. Received: epoch={epoch!r}.")
    return step
