"""LimeLoader: the entry point that TensorBoard imports at its start.

TensorBoard imports it unguarded and asks it for flags before anything is read, so nothing here may fail or take long:
it imports tensorboard's plugin interface alone, and the plugin when it is loaded.
"""

import argparse
import importlib.util
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

from tensorboard.plugins import base_plugin

__all__ = ["LimeLoader"]

_PLUGIN_NAME = "keras_lime"

_KNOWN_TO_TENSORFLOW = {"", "file", "gs", "ram"}

_WITHOUT_TENSORFLOW = "tensorboard.compat.notf"
"""TensorBoard uses its own file layer if a module of this name can be imported, see `tensorboard.compat.tf`."""


class LimeLoader(base_plugin.TBLoader):
    """Defines the plugin's flag, makes TensorBoard keep every step of its data, and loads it."""

    def define_flags(self, parser: argparse.ArgumentParser) -> None:
        """Adds `--keras_lime_max_steps` to TensorBoard's flags."""
        group = parser.add_argument_group("keras_lime plugin")
        group.add_argument(
            "--keras_lime_max_steps",
            metavar="COUNT",
            type=_count,
            default=0,
            help="How many steps of each series of LIME explanations to keep, chosen at random with the newest among "
            "them; 0 keeps every one. An entry for keras_lime in --samples_per_plugin takes its place. (default: "
            "%(default)s)",
        )

    def fix_flags(self, flags: argparse.Namespace) -> None:
        """Makes both of TensorBoard's loaders keep every step, where they would keep 10 or 100.

        An entry of the user's own in `--samples_per_plugin` stands. An exception here would end TensorBoard, so flags
        of an unknown form are left alone.
        """
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, dict):
            samples.setdefault(_PLUGIN_NAME, getattr(flags, "keras_lime_max_steps", 0) or 0)
        with suppress(Exception):
            _read_through_fsspec(str(getattr(flags, "logdir", "") or ""))

    def load(self, context: base_plugin.TBContext) -> Any:
        """Loads the plugin.

        Args:
            context: TensorBoard's own, with the data provider.

        Returns:
            The `LimePlugin`.
        """
        from keras_lime.tensorboard.plugin.routes import LimePlugin

        return LimePlugin(context)


def _read_through_fsspec(log_dir: str) -> None:
    """Makes TensorBoard read with its own file layer, which speaks fsspec, what TensorFlow's cannot.

    Where TensorFlow is installed TensorBoard uses its files, and those know the stores of Google alone: it would end
    with "Unsupported filename scheme 's3'". TensorBoard's switch for a build without TensorFlow takes the other layer.
    """
    scheme = log_dir.partition("://")[0]
    if scheme == log_dir or scheme in _KNOWN_TO_TENSORFLOW:
        return
    if importlib.util.find_spec("tensorflow_io") is not None or importlib.util.find_spec("fsspec") is None:
        return
    import fsspec

    # A listing that is kept would hide what a training writes from now on.
    fsspec.config.conf.setdefault(scheme, {}).setdefault("use_listings_cache", False)
    sys.modules.setdefault(_WITHOUT_TENSORFLOW, ModuleType(_WITHOUT_TENSORFLOW))
    from tensorboard import compat
    from tensorboard.compat import tensorflow_stub

    # The command line has asked for TensorFlow's version by now; this module stands for what it got, for all readers.
    vars(compat.tf).update(vars(tensorflow_stub))


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}. 0 keeps every step.")
    return count
