"""What the command line of `keras-lime` takes: commands, options and their help.

The options of the explainer are made from `Settings`. Imports nothing heavy before a parser is made.
"""

import argparse
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["explainer_settings", "parse"]

_EXIT_CODES = """exit codes:
  0    all went well
  1    it ran to the end, but some images could not be explained
  2    the arguments, the model and the data do not go together; nothing was begun
  3    it ran to the end, and a limit of --fail-above or --fail-below does not hold
  130  interrupted with Ctrl-C; the same command continues an audit
"""

_ABOUT = "See what your image classifier looks at, with LIME."

_EXAMPLES = f"""examples:
  keras-lime audit signs.keras data/validation --out audits/signs
  keras-lime explain signs.keras photo.jpg --out explained
  keras-lime report audits/signs --out signs.html
  keras-lime check data/train --out check.html
  keras-lime cure signs.keras data/train --boxes boxes.json --out cured

`keras-lime COMMAND --help` says more about each.

{_EXIT_CODES}"""

_AUDIT = f"""Explains every image of a data set. DATA is a folder with one folder of images
per class, a Parquet or Arrow file of encoded images, or a folder of such files.
DIR gets rows/*.parquet (a row per image and explained class), pictures/*.parquet,
summary.json and report.html. Killed or interrupted, it goes on where it was when
it is started again with the same arguments.

examples:
  keras-lime audit signs.keras data/validation --out audits/signs
  keras-lime audit signs.keras data/validation --out audits/signs --masks data/masks
  keras-lime audit signs.keras data/validation --out audits/look --max-images 500 --num-samples 128
  keras-lime audit signs.keras val.parquet --out audits/signs --class-names names.txt --value-range 0 1
  keras-lime audit signs.keras data/validation --out audits/signs --engine ray --workers 8 --gpus-per-worker 0.5
  keras-lime audit signs.keras data/validation --out audits/ci --quiet --fail-above swap_flip=.25
  python -c "import pandas; print(pandas.read_parquet('audits/signs/rows'))"

{_EXIT_CODES}"""

_EXPLAIN = f"""Explains single images: for each a figure (.png), and everything that was computed
(.npz, for keras_lime.Explanation.load).

examples:
  keras-lime explain signs.keras photo.jpg --out explained
  keras-lime explain signs.keras photos/*.jpg --out explained --class-names stop yield --targets top3

{_EXIT_CODES}"""

_REPORT = f"""Writes one HTML file that opens everywhere without network, from the folder of an
audit or from a TensorBoard log with keras_lime's records.

examples:
  keras-lime report audits/signs --out signs.html
  keras-lime report logs/run1 --out run1.html

{_EXIT_CODES}"""

_CURE = f"""Trains a copy of a model until backgrounds tell it nothing, and proves it. FOLDER has
one folder of training images per class; BOXES is a JSON file of boxes around the
objects of some of them, {{"version": 1, "boxes": {{"stop/1.png": [[top, left, bottom, right]]}}}},
by path inside FOLDER or by id, in pixels of the model's input. A fifth of the boxed
images is kept out of the training, for the proof. DIR gets cured.keras, receipt.txt and
a TensorBoard run with the images before (step 0) and after (step 1).

examples:
  keras-lime cure signs.keras data/train --boxes boxes.json --out cured
  keras-lime cure signs.keras data/train --boxes boxes.json --out cured --validation data/validation
  keras-lime cure signs.keras data/train --boxes boxes.json --out cured --method head

{_EXIT_CODES}"""

_CHECK = f"""Looks for what tells the class beside the object, before any model is trained: frame,
light, colour, sharpness, JPEG traces, size, aspect ratio and format of the files. Finds
near-duplicates too. FOLDER has one folder of images per class.

examples:
  keras-lime check data/train
  keras-lime check data/train --out check.html --probes data/validation
  keras-lime check data/train --fail-above 0.2

{_EXIT_CODES}"""

LIMITED = ("accuracy", "failed", "object_share", "poor_fits", "r2", "suspicious", "swap_flip")
"""Numbers of summary.json that a limit can be set to; all are explained in its table."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads a command line; ends the process where it is wrong, with the most similar word that would be right.

    Args:
        arguments: of the command line. Defaults to `None`, those of the process.

    Returns:
        The options; `command` is the command, and `spelling` the command line's name of each of them.
    """
    parser, commands = _parsers()
    options, unknown = parser.parse_known_args(arguments)
    command = commands[options.command]
    if unknown:
        known = [text for action in command._actions for text in action.option_strings]
        command.error(
            f"unrecognized arguments: {' '.join(unknown)}{_did_you_mean(unknown[0].partition('=')[0], known)}"
        )
    options.spelling = {
        action.dest: action.option_strings[-1] if action.option_strings else str(action.metavar)
        for action in command._actions
    }
    return options


def explainer_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The explainer's settings that were given."""
    from keras_lime.core.settings import options as known

    return {name: getattr(options, name) for name in known() if getattr(options, name) is not None}


class _Parser(argparse.ArgumentParser):
    """One that says which command was meant."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            close = _did_you_mean(str(value), [str(choice) for choice in action.choices])
            raise argparse.ArgumentError(action, f"{value!r} is none of {', '.join(map(str, action.choices))}{close}")


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        "keras-lime", description=_ABOUT, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    audit = _command(commands, "audit", "explain a whole data set", _AUDIT)
    audit.add_argument("model", type=Path, metavar="MODEL", help="a .keras file")
    audit.add_argument("data", type=Path, metavar="DATA", help="folder of images by class, or table of encoded images")
    audit.add_argument("--out", required=True, metavar="DIR", help="folder of the audit, or an address: s3://…")
    audit.add_argument("--masks", type=Path, metavar="DIR", help="mask images with the paths of the images")
    audit.add_argument("--max-images", type=int, metavar="N", help="at most so many, from all over a folder or table")
    audit.add_argument("--engine", choices=("local", "ray"), default="local", help="where it runs (default: local)")
    audit.add_argument("--workers", type=int, metavar="N", help="shards at a time (default: by the machine)")
    audit.add_argument(
        "--gpus-per-worker", type=float, metavar="X", help="of each Ray worker (default: 1 where Ray has any, else 0)"
    )
    audit.add_argument("--shard-size", type=int, default=64, metavar="N", help="images per shard (default: 64)")
    audit.add_argument("--no-report", dest="report", action="store_false", help="write no report.html")
    for way, than in (("above", "larger"), ("below", "smaller")):
        audit.add_argument(
            f"--fail-{way}",
            type=_limit,
            action="append",
            default=[],
            metavar="NAME=X",
            help=f"exit with 3 where a number of summary.json is {than}, or is not known; may be repeated",
        )
    audit.add_argument("--quiet", action="store_true", help="say only what was found")
    _add_input(audit)
    _add_settings(audit, num_samples=256, targets=("predicted", "label"), baseline="others")

    explain = _command(commands, "explain", "explain single images", _EXPLAIN)
    explain.add_argument("model", type=Path, metavar="MODEL", help="a .keras file")
    explain.add_argument("images", type=Path, metavar="IMAGE", nargs="+", help="image files")
    explain.add_argument("--out", required=True, metavar="DIR", help="folder for figures and archives")
    _add_input(explain)
    _add_settings(explain, targets="predicted")

    report = _command(commands, "report", "write a report for people without TensorBoard", _REPORT)
    report.add_argument(
        "source", metavar="SOURCE", help="folder of an audit, or TensorBoard log; it may be in a store: s3://…"
    )
    report.add_argument("--out", required=True, metavar="FILE", help="the HTML file")

    cure = _command(commands, "cure", "retrain a model that reads the background", _CURE)
    cure.add_argument("model", type=Path, metavar="MODEL", help="a .keras file")
    cure.add_argument("folder", type=Path, metavar="FOLDER", help="training images, one folder per class")
    cure.add_argument("--boxes", type=Path, required=True, metavar="FILE", help="boxes around objects, JSON")
    cure.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    cure.add_argument("--validation", type=Path, metavar="DIR", help="validation images, one folder per class")
    cure.add_argument("--method", choices=("finetune", "head"), default="finetune", help="(default: finetune)")
    cure.add_argument("--epochs", type=int, metavar="N", help="of finetune (default: 4)")
    cure.add_argument("--class-names", nargs="+", metavar="NAME", help="of the outputs in order, or a file of them")
    cure.add_argument("--image-size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="for models of any size")
    cure.add_argument("--seed", type=int, default=0, help="of composites and bootstrap (default: 0)")
    cure.add_argument("--backend", choices=("tensorflow", "jax", "torch"), help="Keras' backend")

    check = _command(commands, "check", "look for shortcuts in data, without a model", _CHECK)
    check.add_argument("folder", type=Path, metavar="FOLDER", help="images, one folder per class")
    check.add_argument("--out", type=Path, metavar="FILE", help="an HTML report with examples")
    check.add_argument("--probes", type=Path, metavar="DIR", help="images that must not be among them, by class")
    check.add_argument("--class-names", nargs="+", metavar="NAME", help="the folders to use, or a file of them")
    check.add_argument("--max-images", type=int, default=2000, metavar="N", help="at most so many (default: 2000)")
    check.add_argument(
        "--fail-above", type=float, metavar="X", help="exit with 3 where a property tells the class with a larger kappa"
    )
    check.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    return parser, commands.choices


def _command(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return made


def _add_input(parser: argparse.ArgumentParser) -> None:
    from keras_lime.core.normalisation import NORMALISATIONS
    from keras_lime.data.resize import RESIZES

    group = parser.add_argument_group("model and images")
    group.add_argument("--class-names", nargs="+", metavar="NAME", help="of the outputs in order, or a file of them")
    group.add_argument(
        "--value-range",
        nargs=2,
        type=float,
        default=(0, 255),
        metavar=("BLACK", "WHITE"),
        help="of the model's input (default: 0 255)",
    )
    group.add_argument(
        "--preprocess",
        choices=tuple(NORMALISATIONS),
        help="how keras.applications prepares images, in place of a range",
    )
    group.add_argument("--resize", choices=tuple(RESIZES), default="bilinear", help="of images (default: bilinear)")
    group.add_argument("--crop-to-aspect-ratio", action="store_true", help="crop images instead of distorting them")
    group.add_argument(
        "--image-size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="for models that take any size"
    )
    group.add_argument(
        "--backend",
        choices=("tensorflow", "jax", "torch"),
        help="Keras' backend (default: KERAS_BACKEND, or Keras' own choice)",
    )


def _add_settings(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    """An option for each setting that can be given as text.

    Args:
        parser: gets them.
        **defaults: values of a command that are not those of `Settings`.
    """
    from dataclasses import fields

    from keras_lime.core.settings import Settings, options

    known = {field.name: field.default for field in fields(Settings)} | defaults
    group = parser.add_argument_group("explainer (see keras_lime.Settings)")
    for name, option in options().items():
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=_parsed(option.parse),
            nargs="+" if option.several else None,
            metavar=option.metavar,
            help=option.describe(known.get(name)).replace("%", "%%"),
        )


def _parsed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """A parser under the name of what it reads, which argparse puts into its message."""

    def read(text: str) -> Any:
        return parse(text)

    read.__name__ = {"int": "whole number", "float": "number"}.get(parse.__name__, "value")
    return read


def _limit(text: str) -> tuple[str, float]:
    """`NAME=X`."""
    name, _, value = text.partition("=")
    if name not in LIMITED:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(LIMITED)}{_did_you_mean(name, LIMITED)}")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {name}=NUMBER, as in {name}=0.25") from None


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f". Did you mean {close[0]}?" if close else ""
