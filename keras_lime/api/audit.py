"""`audit()`: a whole data set, explained and written down. May import every room below and, for Ray, `on_ray`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, Unpack

from keras_lime.api.report import write_report
from keras_lime.auditing.explain_shard import Job
from keras_lime.auditing.prepare import Request, check_identity, describe_settings
from keras_lime.auditing.preprocessing import Item, Shard
from keras_lime.auditing.result import Audit
from keras_lime.auditing.runners.local import LocalEngine
from keras_lime.auditing.runners.on_ray import RayEngine, check_ray
from keras_lime.auditing.sources.make_source import open_source
from keras_lime.auditing.sources.sources import Cutting
from keras_lime.auditing.storage.shards import Manifest, done_shards, make_folder, read_json
from keras_lime.auditing.summary import summarise
from keras_lime.core.image import image_id
from keras_lime.core.settings import Settings, SettingsDict, make_settings
from keras_lime.exceptions import warn
from keras_lime.probes.arguments import check_count
from keras_lime.report.page import page_script
from keras_lime.training.progress import Progress

__all__ = ["audit"]

Engine = Literal["local", "ray"]

ENGINES = ("local", "ray")

_TELLING = 16
"""Images of one class in a row that are no accident."""


def audit(
    model: Any,
    dataset: Any,
    out: str | PathLike[str],
    *,
    masks: Any = None,
    class_names: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    value_range: tuple[float, float] = (0, 255),
    columns: Mapping[str, str] | None = None,
    max_images: int | None = None,
    engine: Engine = "local",
    workers: int | None = None,
    gpus_per_worker: float = 0,
    shard_size: int = 64,
    report: bool = True,
    verbose: int = 1,
    **settings: Unpack[SettingsDict],
) -> Audit:
    """Explains every image of a data set, and writes a folder of Parquet files, a summary and a report.

    Memory does not grow with the number of images. An audit that was interrupted, killed even, is continued by calling
    it again with the same arguments: what is done is not done again. The rows depend on model, data and settings alone,
    not on the engine or on the number of workers.

    Images are worked on in shards. Those of a folder and of arrays are drawn in a seeded order that mixes the classes,
    those of a table from 16 places of it; other data sets are taken as they come, so shuffle what is sorted by class.
    Where labels and object masks are known, each object is also put before the backgrounds of four images of other
    classes of its shard (`swap_flip`, `p_background`, `p_object`; null in a shard of one class).

    Args:
        model: a Keras model, the path of a `.keras` file, or a plain function of a float32 batch.
        dataset: a folder with one folder of images per class (or of images alone); a Parquet or Arrow file, a folder of
            them, or a `pyarrow.Table`, with encoded images; arrays `(images, labels)` or `(images, labels, masks)`; or
            what `fit` takes: a `tf.data.Dataset`, `PyDataset`, torch `DataLoader`, or an iterable of batches, with
            object masks as third part where there are any. Images in files are decoded to RGB (or as many channels
            as the model takes) and resized to its input, all others must fit.
        out: folder of the audit, new, empty, or that of the same audit.
        masks: where the object is: for a folder of images a folder of mask files with the same paths, white on the
            object; for arrays an array (n, h, w). Defaults to `None`.
        class_names: names of the outputs, in their order; for a folder also the names of its subfolders. Defaults to
            `None`: those that the data set knows, for a folder the sorted names of all subfolders.
        image_size: (height, width) for models that take any. Defaults to `None`, the model's own.
        value_range: what black and white of an image file become in the model's input. Defaults to `(0, 255)`, as
            `keras.utils.image_dataset_from_directory` gives them; models that rescale outside want `(0, 1)` or
            `(-1, 1)`.
        columns: columns of a table that are not called `image`, `label` and `mask`: `{"image": "jpg"}`.
        max_images: at most so many images: of a folder or arrays a random sample, of a table from 16 places of it, of
            a stream the first. Defaults to `None`, all.
        engine: `"local"`, this process, or `"ray"`, a pool of workers that hold the model, on this machine or on the
            cluster that Ray is connected to; `out` must then be a folder that all of them see. Defaults to `"local"`.
        workers: shards that are worked on at a time. Defaults to `None`: 2 to 4 threads; for Ray as many workers as
            there are GPUs, or processors but one.
        gpus_per_worker: share of a GPU that each Ray worker has. Defaults to `0`.
        shard_size: images per shard, the unit of work and of repetition after an interruption. Defaults to `64`.
        report: also write `report.html`. Defaults to `True`.
        verbose: 0 silent, 1 progress bar, 2 one line. Defaults to `1`.
        **settings: see `keras_lime.Settings`. Other than there, `num_samples` defaults to 256, `targets` to
            `("predicted", "label")`: two rows for images that are predicted wrong, and `baseline` to `"others"`: what
            up to 64 images of the first shard show there (data in another order have others). Over many images no
            other finds so much of what a model reads around the object; single explanations are a little noisier.

    Returns:
        The `Audit`. Images that could not be explained have a row with their `error`.

    Raises:
        ValueError: before anything is written, if an argument does not fit, or `out` holds something else.
        ImportError: if `engine="ray"` and Ray is not installed.
        RuntimeError: if `report` is wanted of a source tree in which its script was not built.

    Warns:
        LimeWarning: if a stream seems to come sorted by class, or classes have no images.

    Example:
        ```python
        found = keras_lime.audit("signs.keras", "data/validation", "audits/signs", masks="data/masks")
        found.summary["swap_flip"]
        ```
    """
    chosen = make_settings(settings, num_samples=256, targets=("predicted", "label"), baseline="others")
    folder = Path(fspath(out))
    _check_arguments(folder, chosen, engine, workers, gpus_per_worker, shard_size, max_images, value_range)
    if report:
        page_script()
    source = open_source(dataset, masks, class_names, columns, Cutting(shard_size, max_images, chosen.seed))
    names = source.class_names if class_names is None else tuple(map(str, class_names))
    low, high = value_range
    request = Request(
        folder,
        chosen,
        source.describe(),
        source.encoded,
        names,
        None if image_size is None else (int(image_size[0]), int(image_size[1])),
        (float(low), float(high)),
        shard_size,
    )
    check_identity(folder, {"data": request.data, "settings": describe_settings(chosen), "shard_size": shard_size})
    shards = source.shards()
    first = next(shards, None)
    if first is None:
        raise ValueError("`dataset` must give at least one image. Received: a data set without images.")

    running = _engine(engine, model, request, first, workers, gpus_per_worker)
    if not source.addressable and running.job.n_outputs > 1:
        _warn_of_order(first, running.job)
    try:
        make_folder(folder, running.identity | {"dataset": _title(dataset)})
        done = done_shards(folder)
        todo = source.shards(done) if source.addressable else _not_done(chain([first], shards), done, running.job)
        remaining = None if source.n_images is None else source.n_images - sum(each.images for each in done.values())
        counter = _Counter(Progress(verbose, remaining, "audit", "image"))
        count = None if source.n_images is None else -(-source.n_images // shard_size) - len(done)
        new = {manifest.shard: manifest for manifest in running.run(todo, counter.add, count)}
    finally:
        running.close()
    failed = sum(each.failed for each in (done | new).values())
    counter.progress.done({"failed": float(failed)})
    finished = folder / "summary.json"
    summary = summarise(folder) if new or not finished.exists() else read_json(finished)
    if report and (new or not (folder / "report.html").exists()):
        write_report(folder, folder / "report.html")
    return Audit(folder, summary)


def _warn_of_order(first: Shard, job: Job) -> None:
    labels = [item.label for item in first.items if item.label is not None]
    if len(labels) < _TELLING or len(set(labels)) > 1:
        return
    warn(
        f"`dataset` seems to come sorted by class: its first {len(labels)} images are all of class {labels[0]}. With "
        'baseline="others" hidden superpixels then show this class alone, and objects are not put before backgrounds '
        "of other classes. Shuffle it; folders, arrays and tables are mixed here."
    )


class _Counter:
    """Counts images for the progress bar."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self._count = progress, 0

    def add(self, count: int) -> None:
        self._count += count
        self.progress.update(self._count)


def _engine(
    engine: str, model: Any, request: Request, first: Shard, workers: int | None, gpus_per_worker: float
) -> LocalEngine | RayEngine:
    if engine == "ray":
        return RayEngine(model, request, first, workers, gpus_per_worker)
    return LocalEngine(model, request, first, workers)


def _not_done(shards: Iterator[Shard], done: Mapping[int, Manifest], job: Job) -> Iterator[Shard]:
    """Reads a stream past the shards that are done, and compares what it reads with them."""
    for shard in shards:
        manifest = done.get(shard.index)
        if manifest is None:
            yield shard
        elif tuple(_identity(item, job) for item in shard.items) != manifest.image_ids:
            raise ValueError(
                f"`dataset` must give the same images in the same order, to continue the audit in {str(job.folder)!r}. "
                f"Received: other images in shard {shard.index}. Do not shuffle it, or choose another `out`."
            )


def _identity(item: Item, job: Job) -> str | None:
    try:
        return image_id(job.intake.image(item))
    except ValueError:
        return None


def _check_arguments(
    folder: Path,
    settings: Settings,
    engine: str,
    workers: int | None,
    gpus_per_worker: float,
    shard_size: int,
    max_images: int | None,
    value_range: tuple[float, float],
) -> None:
    if engine not in ENGINES:
        raise ValueError(f"`engine` must be one of {', '.join(ENGINES)}. Received: engine={engine!r}.")
    if engine == "ray":
        check_ray()
    for name, value in (("workers", workers), ("shard_size", shard_size), ("max_images", max_images)):
        if value is not None or name == "shard_size":
            check_count(name, value)
    if not gpus_per_worker >= 0 or (gpus_per_worker and engine != "ray"):
        raise ValueError(
            f'`gpus_per_worker` must be a number of GPUs, for engine="ray" alone. Received: {gpus_per_worker!r}.'
        )
    if len(value_range) != 2 or not value_range[0] < value_range[1]:
        raise ValueError(f"`value_range` must be (black, white), rising. Received: value_range={value_range!r}.")
    for name in ("baseline", "second_baseline"):
        value = getattr(settings, name)
        if isinstance(value, str) and value == "dataset":
            raise ValueError(
                f'`{name}` must not be "dataset": the images are not all in memory. Received: {name}="dataset". Pass '
                f"the mean of the training set: {name}=x_train.mean(axis=0)."
            )
    if getattr(settings.segmentation, "ndim", 2) != 2:
        raise ValueError("`segmentation` must be one label map (h, w) for all images. Received: several.")
    if folder.exists() and not (folder / "audit.json").exists():
        content = [] if folder.is_dir() else [folder.name]
        content += [each.name for each in folder.iterdir() if each.name[0] != "."] if folder.is_dir() else []
        if content:
            raise ValueError(
                f"`out` must be a new or empty folder, or that of an audit. Received: {str(folder)!r}, which holds "
                f"{content[0]!r}. Choose another."
            )


def _title(dataset: Any) -> str:
    """How the data set is called in `audit.json`."""
    return str(dataset) if isinstance(dataset, str | PathLike) else type(dataset).__name__
