"""The command line: `keras-lime audit`, `keras-lime explain`, `keras-lime report`. Thin, over the public functions.

Imports nothing heavy before the arguments are read, because `--backend` must be set before Keras is imported.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]

_EXIT_CODES = """exit codes:
  0    all went well
  1    it ran to the end, but some images could not be explained
  2    the arguments, the model and the data do not go together; nothing was begun
  130  interrupted with Ctrl-C; the same command continues an audit
"""

_ABOUT = "See what your image classifier looks at, with LIME."

_EXAMPLES = f"""examples:
  keras-lime audit signs.keras data/validation --out audits/signs
  keras-lime explain signs.keras photo.jpg --out explained
  keras-lime report audits/signs --out signs.html

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: of the command line. Defaults to `None`, those of the process.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if getattr(options, "backend", None):
        os.environ["KERAS_BACKEND"] = options.backend
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        print("\nkeras-lime: interrupted. The same command goes on where it was.", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        print(f"keras-lime: error: {_for_the_command_line(str(error))}", file=sys.stderr)
        return 2
    return code


def _audit(options: argparse.Namespace) -> int:
    from keras_lime import audit

    found = audit(
        options.model,
        options.data,
        options.out,
        masks=options.masks,
        class_names=_names(options.class_names),
        image_size=options.image_size,
        value_range=tuple(options.value_range),
        max_images=options.max_images,
        engine=options.engine,
        workers=options.workers,
        gpus_per_worker=options.gpus_per_worker,
        shard_size=options.shard_size,
        report=options.report,
        verbose=0 if options.quiet else 1,
        **_settings(options),
    )
    print(_findings(found, options.report))
    return 1 if found.summary["failed"] else 0


def _findings(found: Any, report: bool) -> str:
    """An audit in a few lines."""
    summary = found.summary
    lines = [("images", f"{summary['images']}, {summary['failed']} of them could not be explained")]
    if not summary["failed"]:
        lines = [("images", f"{summary['images']}")]
    lines += [("error", f"{count} × {message}") for message, count in list(summary["errors"].items())[:3]]
    if summary["accuracy"] is not None:
        lines.append(("accuracy", f"{summary['accuracy']:.1%}"))
    if summary["object_share"] is not None:
        lines.append(("object share", f"{summary['object_share']:.1%}, by chance {summary['object_chance']:.1%}"))
    if summary["swap_flip"] is not None:
        error = summary["swap_flip_stderr"]
        lines.append(("swap flip", f"{summary['swap_flip']:.1%}" + ("" if error is None else f" ± {error:.1%}")))
    lines.append(("rows", f"{found.folder / 'rows'}"))
    if report:
        lines.append(("report", f"{found.folder / 'report.html'}"))
    return "\n".join(f"{name:<14}{text}" for name, text in lines)


def _explain(options: argparse.Namespace) -> int:
    from keras_lime import explain
    from keras_lime.auditing.opened_model import OpenedModel
    from keras_lime.auditing.preprocessing import Preprocessing
    from keras_lime.auditing.shard import Item
    from keras_lime.auditing.sources.regular_file import read_regular_file

    opened = OpenedModel.open(options.model)
    preprocessing = Preprocessing(opened.file_shape(options.image_size), tuple(options.value_range))
    names, failed, taken = _names(options.class_names), 0, set[str]()
    options.out.mkdir(parents=True, exist_ok=True)
    for file in options.images:
        try:
            image = preprocessing.image(Item(0, read_regular_file(file)))
        except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
            print(f"{file}: {error}", file=sys.stderr)
            failed += 1
            continue
        found = explain(opened.model, image, class_names=names, **_settings(options))
        stem = next(each for each in _stems(file) if each not in taken)
        taken.add(stem)
        found.plot().savefig(options.out / f"{stem}.png")
        found.save(options.out / f"{stem}.npz")
        print(_sentences(file, found))
    print(f"{len(options.images) - failed} of {len(options.images)} images explained: {options.out}")
    return 1 if failed else 0


def _stems(file: Path) -> Any:
    """Names for the files of an image, in the order of preference."""
    yield file.stem
    yield file.name
    number = 2
    while True:
        yield f"{file.name}-{number}"
        number += 1


def _sentences(file: Path, found: Any) -> str:
    lines = [f"{file}: {found!r}"]
    for target, name in zip(found.targets, found.target_names, strict=True):
        strongest = found.top_segments(5, target=target)
        weights = ", ".join(f"{segment} ({weight:+.3f})" for segment, weight in strongest)
        lines.append(f"  {name}: strongest superpixels {weights}")
    lines += [f"  note: {diagnostic}" for diagnostic in found.diagnostics]
    return "\n".join(lines)


def _report(options: argparse.Namespace) -> int:
    from keras_lime.api.report import write_report

    write_report(options.source, options.out)
    print(options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "keras-lime", description=_ABOUT, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    audit = _command(commands, "audit", "explain a whole data set", _AUDIT)
    audit.set_defaults(run=_audit)
    audit.add_argument("model", type=Path, metavar="MODEL", help="a .keras file")
    audit.add_argument("data", type=Path, metavar="DATA", help="folder of images by class, or table of encoded images")
    audit.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the audit")
    audit.add_argument("--masks", type=Path, metavar="DIR", help="mask images with the paths of the images")
    audit.add_argument("--max-images", type=int, metavar="N", help="at most so many, from all over a folder or table")
    audit.add_argument("--engine", choices=("local", "ray"), default="local", help="where it runs (default: local)")
    audit.add_argument("--workers", type=int, metavar="N", help="shards at a time (default: by the machine)")
    audit.add_argument("--gpus-per-worker", type=float, default=0, metavar="X", help="of each Ray worker (default: 0)")
    audit.add_argument("--shard-size", type=int, default=64, metavar="N", help="images per shard (default: 64)")
    audit.add_argument("--no-report", dest="report", action="store_false", help="write no report.html")
    audit.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_input(audit)
    _add_settings(audit, 256, "predicted label", "others")

    explain = _command(commands, "explain", "explain single images", _EXPLAIN)
    explain.set_defaults(run=_explain)
    explain.add_argument("model", type=Path, metavar="MODEL", help="a .keras file")
    explain.add_argument("images", type=Path, metavar="IMAGE", nargs="+", help="image files")
    explain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for figures and archives")
    _add_input(explain)
    _add_settings(explain, 1000, "predicted", "mean")

    report = _command(commands, "report", "write a report for people without TensorBoard", _REPORT)
    report.set_defaults(run=_report)
    report.add_argument("source", type=Path, metavar="SOURCE", help="folder of an audit, or TensorBoard log")
    report.add_argument("--out", type=Path, required=True, metavar="FILE", help="the HTML file")
    return parser


def _command(commands: Any, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return made


def _add_input(parser: argparse.ArgumentParser) -> None:
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
        "--image-size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="for models that take any size"
    )
    group.add_argument(
        "--backend",
        choices=("tensorflow", "jax", "torch"),
        help="Keras' backend (default: KERAS_BACKEND, or Keras' own choice)",
    )


_SETTINGS = (
    "segmentation",
    "n_segments",
    "baseline",
    "num_samples",
    "tolerance",
    "max_samples",
    "sampling",
    "kernel_width",
    "targets",
    "scale",
    "output",
    "batch_size",
    "seed",
)


def _add_settings(parser: argparse.ArgumentParser, num_samples: int, targets: str, baseline: str) -> None:
    group = parser.add_argument_group("explainer (see keras_lime.Settings)")
    group.add_argument("--n-segments", type=int, metavar="N", help="superpixels per image, about (default: 50)")
    group.add_argument(
        "--num-samples",
        type=_count_or_auto,
        metavar="N",
        help=f"perturbations per image, or auto: as many as each needs (default: {num_samples})",
    )
    group.add_argument(
        "--tolerance", type=float, metavar="X", help="for auto: error of the weights that is small enough"
    )
    group.add_argument("--max-samples", type=int, metavar="N", help="for auto: so many per image at most")
    group.add_argument("--segmentation", metavar="NAME", help="slic (default), quickshift, felzenszwalb or grid")
    group.add_argument(
        "--baseline",
        metavar="NAME",
        help=f"what hidden parts show: mean, grey, blur, noise, others or a number (default: {baseline})",
    )
    group.add_argument("--sampling", metavar="NAME", help="balanced (default) or bernoulli")
    group.add_argument("--kernel-width", type=float, metavar="X", help="of LIME's kernel (default: 0.25)")
    group.add_argument(
        "--targets", nargs="+", metavar="T", help=f"predicted, label, top3, a class number (default: {targets})"
    )
    group.add_argument("--scale", metavar="NAME", help="probability (default) or logit")
    group.add_argument("--output", metavar="NAME", help="what the model's output means (default: read from it)")
    group.add_argument("--batch-size", type=int, metavar="N", help="images per forward pass (default: by image size)")
    group.add_argument("--seed", type=int, metavar="N", help="of everything that is random (default: 0)")


def _count_or_auto(text: str) -> int | str:
    return text if text == "auto" else int(text)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The explainer's settings that were given."""
    given = {name: getattr(options, name) for name in _SETTINGS if getattr(options, name) is not None}
    if "baseline" in given and re.fullmatch(r"[-+.\d]+", given["baseline"]):
        given["baseline"] = float(given["baseline"])
    if "targets" in given:
        given["targets"] = [int(each) if each.isdigit() else each for each in given["targets"]]
    return given


def _names(given: Sequence[str] | None) -> list[str] | None:
    """Class names as they are, or the lines of a file."""
    if given is not None and len(given) == 1 and Path(given[0]).is_file():
        return [line for line in Path(given[0]).read_text(encoding="utf-8").splitlines() if line]
    return None if given is None else list(given)


_ARGUMENTS = {"model": "MODEL", "dataset": "DATA", "image": "IMAGE", "path": "SOURCE", "source": "SOURCE"}


def _for_the_command_line(message: str) -> str:
    """A message of the Python functions with the command line's names for their arguments."""

    def option(found: re.Match[str]) -> str:
        name = found[1]
        return _ARGUMENTS.get(name, f"--{name.replace('_', '-')}")

    return re.sub(r"`(\w+)`", option, message)


if __name__ == "__main__":
    sys.exit(main())
