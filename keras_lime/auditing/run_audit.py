"""The walk of an audit: source → runner → shards on the disk → summary → report. May import every folder below."""

from collections.abc import Iterator, Mapping
from itertools import chain
from os import PathLike
from typing import Any

from keras_lime.auditing.arguments import Arguments
from keras_lime.auditing.explain_shard import Job
from keras_lime.auditing.prepare import Request, check_identity, describe_settings
from keras_lime.auditing.progress import AuditProgress
from keras_lime.auditing.result import Audit
from keras_lime.auditing.runners.local import LocalRunner
from keras_lime.auditing.runners.on_ray import RayRunner
from keras_lime.auditing.runners.runner import Runner
from keras_lime.auditing.shard import Item, Shard, ShardReference
from keras_lime.auditing.sources.make_source import make_source
from keras_lime.auditing.sources.source import Cutting, Source
from keras_lime.auditing.storage.completeness import check_complete
from keras_lime.auditing.storage.shards import ShardManifest, digest_of_ids, intact_shards, make_folder, read_json
from keras_lime.auditing.summary import summarise
from keras_lime.core.image import image_id
from keras_lime.data.folder_path import writing
from keras_lime.exceptions import warn
from keras_lime.report.make_report import make_report
from keras_lime.report.page import page_script

__all__ = ["run_audit"]

_SORTED_FROM = 16
"""Images of one class in a row that are no accident."""


def run_audit(arguments: Arguments) -> Audit:
    """Begins or continues an audit; see `keras_lime.audit`."""
    folder, settings = arguments.folder, arguments.settings
    if arguments.report:
        # Without the page's script there will be no report: better said now than after a day.
        page_script()
    cutting = Cutting(arguments.shard_size, arguments.max_images, settings.seed)
    source = make_source(
        arguments.dataset, arguments.masks, arguments.class_names, arguments.columns, cutting, arguments.image_input
    )
    request = _request(arguments, source)
    about = {"data": request.data, "settings": describe_settings(settings), "shard_size": arguments.shard_size}
    check_identity(folder, about)
    shards = source.shards()
    reference = next(shards, None)
    if reference is None:
        raise ValueError("`dataset` must give at least one image. Received: a data set without images.")
    first = reference.read()
    runner = _runner(arguments, request, first)
    try:
        if not source.addressable and runner.job.n_outputs > 1:
            _warn_of_order(first, runner.job)
        with writing("out", folder):
            make_folder(folder, {**runner.identity, "dataset": _title(arguments.dataset)})
        done = intact_shards(folder)
        todo = source.shards(done) if source.addressable else _not_done(chain([first], shards), done, runner.job)
        remaining = None if source.n_images is None else source.n_images - sum(each.images for each in done.values())
        progress = AuditProgress(arguments.verbose, remaining)
        finished = {shard.manifest.shard: shard for shard in runner.run(todo, progress.add)}
        manifests = done | {number: shard.manifest for number, shard in finished.items()}
        hosts = {number: shard.host for number, shard in finished.items()}
        check_complete(folder, manifests, hosts, source.n_images)
        progress.done(sum(each.failed for each in manifests.values()))
        fresh = bool(finished) or not (folder / "summary.json").exists()
        summary = summarise(folder, manifests, runner.prove) if fresh else read_json(folder / "summary.json")
    finally:
        runner.close()
    if arguments.report and (fresh or not (folder / "report.html").exists()):
        make_report(folder, folder / "report.html")
    return Audit(folder, summary)


def _request(arguments: Arguments, source: Source) -> Request:
    names, size = arguments.class_names, arguments.image_size
    black, white = arguments.value_range
    return Request(
        # Absolute, since workers may have another working folder.
        arguments.folder.absolute(),
        arguments.settings,
        source.describe(),
        source.encoded,
        source.class_names if names is None else tuple(map(str, names)),
        None if size is None else (int(size[0]), int(size[1])),
        (float(black), float(white)),
        arguments.shard_size,
        arguments.preprocess,
        arguments.resize,
        arguments.crop_to_aspect_ratio,
        arguments.image_input,
    )


def _runner(arguments: Arguments, request: Request, first: Shard) -> Runner:
    if arguments.engine == "ray":
        return RayRunner(
            arguments.model, request, first, arguments.workers, arguments.gpus_per_worker, arguments.verbose
        )
    return LocalRunner(arguments.model, request, first, arguments.workers)


def _warn_of_order(first: Shard, job: Job) -> None:
    labels = [item.label for item in first.items if item.label is not None]
    if len(labels) < _SORTED_FROM or len(set(labels)) > 1:
        return
    warn(
        f"`dataset` seems to come sorted by class: its first {len(labels)} images are all of class {labels[0]}. With "
        'baseline="others" hidden superpixels then show this class alone, and objects are not put before backgrounds '
        "of other classes. Shuffle it; folders, arrays and tables are mixed here."
    )


def _not_done(
    shards: Iterator[ShardReference], done: Mapping[int, ShardManifest], job: Job
) -> Iterator[ShardReference]:
    """Reads a stream past the shards that are done, and compares what it reads with them."""
    for shard in shards:
        manifest = done.get(shard.index)
        if manifest is None:
            yield shard
        elif digest_of_ids(_identity(item, job) for item in shard.read().items) != manifest.image_ids:
            raise ValueError(
                f"`dataset` must give the same images in the same order, to continue the audit in {str(job.folder)!r}. "
                f"Received: other images in shard {shard.index}. Do not shuffle it, or choose another `out`."
            )


def _identity(item: Item, job: Job) -> str | None:
    try:
        return image_id(job.preprocessing.image(item))
    except ValueError:
        return None


def _title(dataset: Any) -> str:
    """How the data set is called in `audit.json`."""
    return str(dataset) if isinstance(dataset, str | PathLike) else type(dataset).__name__
