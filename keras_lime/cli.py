"""The command line: `keras-lime audit`, `check`, `cure`, `explain` and `report`. Thin, over the public functions.

Imports nothing heavy before the arguments are read, because `--backend` must be set before Keras is imported.
"""

import argparse
import importlib.util
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_lime.cli_options import explainer_settings, parse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: of the command line. Defaults to `None`, those of the process.

    Returns:
        The exit code.
    """
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if getattr(options, "backend", None):
        os.environ["KERAS_BACKEND"] = options.backend
    try:
        return _COMMANDS[options.command](options)
    except KeyboardInterrupt:
        print("\nkeras-lime: interrupted. The same command goes on where it was.", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        message = _for_the_command_line(str(error), options.spelling)
        print(f"keras-lime: error: {message}{_about_backends(error)}", file=sys.stderr)
        return 2


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
        preprocess=options.preprocess,
        resize=options.resize,
        crop_to_aspect_ratio=options.crop_to_aspect_ratio,
        max_images=options.max_images,
        engine=options.engine,
        workers=options.workers,
        gpus_per_worker=options.gpus_per_worker,
        shard_size=options.shard_size,
        report=options.report,
        verbose=0 if options.quiet else 1,
        **explainer_settings(options),
    )
    print(_overview(found, options.report))
    exceeded = _exceeded(found.summary, options.fail_above, options.fail_below)
    for sentence in exceeded:
        print(f"keras-lime: limit: {sentence}", file=sys.stderr)
    return 3 if exceeded else 1 if found.summary["failed"] else 0


def _exceeded(
    summary: Mapping[str, Any], above: Sequence[tuple[str, float]], below: Sequence[tuple[str, float]]
) -> list[str]:
    """The limits that do not hold; what is not known holds none."""
    sentences = []
    for limits, sign, way in ((above, 1, "above"), (below, -1, "below")):
        for name, limit in limits:
            value = summary[name]
            if value is None:
                sentences.append(f"{name} is not known, and --fail-{way} {name}={limit:g} was asked for")
            elif sign * value > sign * limit:
                sentences.append(f"{name} is {value:.4g}, {way} {limit:g}")
    return sentences


def _overview(found: Any, report: bool) -> str:
    """An audit in a few lines."""
    from keras_lime.core.phrases import percent

    summary = found.summary
    lines = [("images", f"{summary['images']:,}, {summary['failed']:,} of them could not be explained")]
    if not summary["failed"]:
        lines = [("images", f"{summary['images']:,}")]
    lines += [("error", f"{count} × {message}") for message, count in list(summary["errors"].items())[:3]]
    if summary["accuracy"] is not None:
        lines.append(("accuracy", percent(summary["accuracy"])))
    if summary["object_share"] is not None:
        share, chance = percent(summary["object_share"]), percent(summary["object_chance"])
        lines.append(("object share", f"{share}, by chance {chance}"))
    if summary["swap_flip"] is not None:
        lines.append(("swap flip", percent(summary["swap_flip"], summary["swap_flip_stderr"])))
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
    from keras_lime.data.folder_path import writing
    from keras_lime.data.local_path import local_path

    opened = OpenedModel.open(options.model)
    preprocessing = Preprocessing(
        opened.file_shape(options.image_size),
        tuple(options.value_range),
        options.preprocess,
        options.resize,
        options.crop_to_aspect_ratio,
    )
    names, failed, taken = _names(options.class_names), 0, set[str]()
    out = local_path("out", options.out)
    with writing("out", out):
        out.mkdir(parents=True, exist_ok=True)
    for file in options.images:
        try:
            image = preprocessing.image(Item(0, read_regular_file(file)))
        except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
            print(f"{file}: {error}", file=sys.stderr)
            failed += 1
            continue
        found = explain(opened.model, image, class_names=names, **explainer_settings(options))
        stem = next(each for each in _stems(file) if each not in taken)
        taken.add(stem)
        found.plot().savefig(out / f"{stem}.png")
        found.save(out / f"{stem}.npz")
        print(_sentences(file, found))
    print(f"{len(options.images) - failed} of {len(options.images)} images explained: {out}")
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


def _cure(options: argparse.Namespace) -> int:
    from keras_lime import ProbeSet, cure
    from keras_lime.auditing.opened_model import OpenedModel
    from keras_lime.core.atomic_write import atomic_write_bytes
    from keras_lime.curing.finetune import EPOCHS
    from keras_lime.curing.from_folder import read_cure_data

    if options.out.exists() and any(options.out.iterdir()):
        raise ValueError(f"`out` must be a new folder. Received: {str(options.out)!r}, which holds files.")
    opened = OpenedModel.open(options.model)
    height, width, *_ = opened.file_shape(options.image_size)
    size, names = (height, width), _names(options.class_names)
    data = read_cure_data(options.folder, options.boxes, size, names)
    validation = None
    if options.validation is not None:
        held_out = ProbeSet.from_directory(
            options.validation, image_size=size, per_class=1000, class_names=names, outlines=None
        )
        validation = (held_out.images, held_out.labels)
    cured, receipt = cure(
        opened.model,
        (data.images, data.labels),
        data.pool,
        options.method,
        validation_data=validation,
        probes=data.probes,
        epochs=EPOCHS if options.epochs is None else options.epochs,
        log_dir=options.out / "cured",
        seed=options.seed,
    )
    cured.save(options.out / "cured.keras")
    atomic_write_bytes(options.out / "receipt.txt", f"{receipt}\n".encode())
    print(f"{receipt}\n\n{options.out / 'cured.keras'}\nSee both: tensorboard --logdir {options.out}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from keras_lime import ProbeSet, check_data

    names = _names(options.class_names)
    probes = None
    if options.probes is not None:
        probes = ProbeSet.from_directory(
            options.probes, image_size=(224, 224), num_probes=options.max_images, class_names=names, outlines=None
        )
    found = check_data(
        options.folder,
        probes=probes,
        out=options.out,
        class_names=names,
        max_images=options.max_images,
        seed=options.seed,
    )
    print(found)
    if options.out is not None:
        print(options.out)
    limit = options.fail_above
    if limit is None or (found.properties and found.highest_kappa <= limit):
        return 0
    print(f"keras-lime: limit: {found.headline} --fail-above {limit:g} was asked for", file=sys.stderr)
    return 3


def _names(given: Sequence[str] | None) -> list[str] | None:
    """Class names as they are, or the lines of a file."""
    if given is not None and len(given) == 1 and Path(given[0]).is_file():
        return [line for line in Path(given[0]).read_text(encoding="utf-8").splitlines() if line]
    return None if given is None else list(given)


def _for_the_command_line(message: str, spelling: Mapping[str, str]) -> str:
    """A message of the Python functions with the command line's names for their arguments; other code stays."""
    names = {"dataset": "FOLDER" if "folder" in spelling else "DATA", "image": "IMAGE", "path": "SOURCE"} | dict(
        spelling
    )
    return re.sub(r"`(\w+)`", lambda found: names.get(found[1], found[0]), message)


def _about_backends(error: BaseException) -> str:
    """What to do where the backend's package is missing."""
    packages = ("tensorflow", "jax", "torch")
    if not isinstance(error, ImportError) or error.name not in packages:
        return ""
    there = [name for name in packages if importlib.util.find_spec(name) is not None]
    other = f", or choose --backend {' or '.join(there)}" if there else ""
    return f". Keras runs on it: pip install {error.name}{other}."


_COMMANDS = {"audit": _audit, "check": _check, "cure": _cure, "explain": _explain, "report": _report}


if __name__ == "__main__":
    sys.exit(main())
