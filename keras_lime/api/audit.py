"""`audit()`: a whole data set, explained and written down. Thin, over `keras_lime.auditing`."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Unpack

from keras_lime.auditing.arguments import Arguments, EngineName
from keras_lime.auditing.result import Audit
from keras_lime.auditing.run_audit import run_audit
from keras_lime.core.model_input import InputName
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.data.class_names import as_class_names
from keras_lime.data.preprocess import Preprocess
from keras_lime.data.resize import Resize

__all__ = ["audit"]


def audit(
    model: Any,
    dataset: Any,
    out: str | PathLike[str],
    *,
    masks: Any = None,
    class_names: Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    value_range: tuple[float, float] = (0, 255),
    preprocess: Preprocess | None = None,
    resize: Resize = "bilinear",
    crop_to_aspect_ratio: bool = False,
    columns: Mapping[str, str] | None = None,
    max_images: int | None = None,
    engine: EngineName = "local",
    workers: int | None = None,
    gpus_per_worker: float | None = None,
    shard_size: int = 64,
    report: bool = True,
    verbose: int = 1,
    image_input: InputName | None = None,
    **settings: Unpack[SettingsDict],
) -> Audit:
    """Explains every image of a data set, and writes a folder of Parquet files, a summary and a report.

    Memory does not grow with the number of images. An audit that was interrupted, killed even, is continued by calling
    it again with the same arguments: what is done is not done again. The rows depend on model, data and settings alone,
    not on the engine or on the number of workers.

    Images are worked on in shards. Those of a folder and of arrays are drawn in a seeded order that mixes the classes,
    those of a table from 16 places of it; other data sets are taken as they come, so shuffle what is sorted by class.
    Where labels and object masks are known, each object is also put before the backgrounds of four images of other
    classes of its shard (`swap_flip`, `background_certainty`, `object_certainty`; null in a shard of one class).

    Args:
        model: a Keras model, the path of a `.keras` file, or a plain function of a float32 batch.
        dataset: a folder with one folder of images per class (or of images alone); a Parquet or Arrow file, a folder of
            them, or a `pyarrow.Table`, with encoded images; arrays `(images, labels)` or `(images, labels, masks)`; or
            what `fit` takes: a `tf.data.Dataset`, `PyDataset`, torch `DataLoader`, or an iterable of batches, with
            object masks as third part where there are any. Images in files are decoded to RGB (or as many channels
            as the model takes) and resized to its input, all others must fit.
        out: folder of the audit, new, empty, or that of the same audit; for the local engine also an address such as
            `"s3://bucket/signs"` (`pip install 'keras-lime[remote]'`).
        masks: where the object is: for a folder of images a folder of mask files with the same paths, white on the
            object; for arrays an array (n, h, w). Defaults to `None`.
        class_names: names of the outputs, in their order; for a folder also the names of its subfolders. Defaults to
            `None`: those that the data set knows, for a folder the sorted names of all subfolders.
        image_size: (height, width) for models that take any. Defaults to `None`, the model's own.
        value_range: what black and white of an image file become in the model's input. Defaults to `(0, 255)`, as
            `keras.utils.image_dataset_from_directory` gives them; models that rescale outside want `(0, 1)` or
            `(-1, 1)`.
        preprocess: what makes model input of an image file's pixels (n, h, w, c) in 0..255, in place of `value_range`:
            a function, such as `keras.applications.resnet.preprocess_input`, or `"imagenet"` (mean and standard
            deviation), `"caffe"` (BGR less the mean) or `"tf"` (−1 to 1). Defaults to `None`.
        resize: how image files are resized: `"bilinear"`, as `keras.utils.image_dataset_from_directory` does it;
            `"nearest"`, as `keras.utils.load_img` does; or `"antialias"`, Pillow's smooth filter. Defaults to
            `"bilinear"`.
        crop_to_aspect_ratio: crop image files to the model's aspect ratio instead of distorting them. Defaults to
            `False`.
        columns: columns of a table that are not called `image`, `label` and `mask`: `{"image": "jpg"}`.
        max_images: at most so many images: of a folder or arrays a random sample, of a table from 16 places of it, of
            a stream the first. Defaults to `None`, all.
        engine: `"local"`, this process, or `"ray"`, a pool of workers that hold the model, on this machine or on the
            cluster that Ray is connected to; `out`, and files that the data set names, must then lie where all of them
            see them, which is checked. Defaults to `"local"`.
        workers: shards that are worked on at a time. Defaults to `None`: 2 to 4 threads; for Ray as many workers as
            there are GPUs, or processors but one, also on machines that join later.
        gpus_per_worker: share of a GPU that each Ray worker has. Defaults to `None`: one, where the cluster has any.
        shard_size: images per shard, the unit of work and of repetition after an interruption. Defaults to `64`.
        report: also write `report.html`. Defaults to `True`.
        verbose: 0 silent, 1 progress bar, 2 one line. Defaults to `1`.
        image_input: for a model with several inputs the name or position of the image in what `dataset` gives, as
            `({"image": images, "age": ages}, labels)`; the other inputs stay with their image. Defaults to `None`: the
            one that has the shape of images.
        **settings: see `keras_lime.Settings`. Other than there, `num_samples` defaults to 256, `targets` to
            `("predicted", "label")`: two rows for images that are predicted wrong, and `baseline` to `"others"`: what
            up to 64 images of the first shard show there (data in another order have others). Over many images no
            other finds so much of what a model reads around the object; single explanations are a little noisier.

    Returns:
        The `Audit`. Images that could not be explained have a row with their `error`.

    Raises:
        ValueError: before anything is written, if an argument does not fit, or `out` holds something else.
        ImportError: if `engine="ray"` and Ray is not installed.
        IncompleteAuditError: a `RuntimeError`, if shards that were reported as done are not in `out` at the end.
        RuntimeError: if `report` is wanted of a source tree in which its script was not built.

    Warns:
        LimeWarning: if a stream seems to come sorted by class, classes have no images, GPUs stay unused, or a host that
            joins the cluster cannot be used.

    Example:
        ```python
        found = keras_lime.audit("signs.keras", "data/validation", "audits/signs", masks="data/masks")
        found.summary["swap_flip"]
        ```
    """
    arguments = Arguments(
        model,
        dataset,
        out,
        masks=masks,
        class_names=class_names,
        image_size=image_size,
        value_range=value_range,
        preprocess=preprocess,
        resize=resize,
        crop_to_aspect_ratio=crop_to_aspect_ratio,
        columns=columns,
        max_images=max_images,
        engine=engine,
        workers=workers,
        gpus_per_worker=gpus_per_worker,
        shard_size=shard_size,
        report=report,
        verbose=verbose,
        image_input=image_input,
        settings=make_settings(
            settings,
            class_names=None if class_names is None else as_class_names(class_names),
            num_samples=256,
            targets=("predicted", "label"),
            baseline="others",
        ),
    )
    return run_audit(arguments)
