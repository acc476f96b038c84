"""What `audit()` was given, checked as far as it can be without data and model. May import the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from keras_lime.auditing.runners.ray_cluster import check_ray
from keras_lime.core.model_input import InputName
from keras_lime.core.settings import Settings
from keras_lime.data.folder_path import folder_path, is_remote
from keras_lime.data.preprocess import Preprocess, check_preprocess
from keras_lime.data.resize import RESIZES, Resize
from keras_lime.probes.arguments import check_choice, check_count

__all__ = ["Arguments", "EngineName"]

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, eq=False)
class Arguments:
    """The arguments of `keras_lime.audit`, which explains them; `folder` is `out` as a path.

    Raises:
        ValueError: if one does not fit.
        ImportError: if `engine="ray"` and Ray is not installed.
    """

    model: Any
    dataset: Any
    out: str | PathLike[str]
    masks: Any
    class_names: Sequence[str] | None
    image_size: tuple[int, int] | None
    value_range: tuple[float, float]
    preprocess: Preprocess | None
    resize: Resize
    crop_to_aspect_ratio: bool
    columns: Mapping[str, str] | None
    max_images: int | None
    engine: EngineName
    workers: int | None
    gpus_per_worker: float | None
    shard_size: int
    report: bool
    verbose: int
    settings: Settings
    image_input: InputName | None = None
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", folder_path("out", self.out))
        if self.engine not in get_args(EngineName):
            names = ", ".join(get_args(EngineName))
            raise ValueError(f"`engine` must be one of {names}. Received: engine={self.engine!r}.")
        if self.engine == "ray":
            check_ray()
            if is_remote(self.folder):
                raise ValueError(
                    f'`out` must be a folder that all machines share, for engine="ray". Received: {str(self.out)!r}, '
                    "an address. Mount the store on every machine, or take the local engine."
                )
        for name in ("workers", "shard_size", "max_images"):
            value = getattr(self, name)
            if value is not None or name == "shard_size":
                check_count(name, value)
        gpus = self.gpus_per_worker
        if gpus is not None and (not gpus >= 0 or (gpus and self.engine != "ray")):
            raise ValueError(f'`gpus_per_worker` must be a number of GPUs, for engine="ray" alone. Received: {gpus!r}.')
        if len(self.value_range) != 2 or not self.value_range[0] < self.value_range[1]:
            raise ValueError(
                f"`value_range` must be (black, white), rising. Received: value_range={self.value_range!r}."
            )
        check_preprocess(self.preprocess)
        if self.preprocess is not None and tuple(self.value_range) != (0, 255):
            raise ValueError(
                "`preprocess` and `value_range` cannot both be given: `preprocess` gets pixels in 0..255. Received: "
                f"value_range={self.value_range!r}."
            )
        check_choice("resize", self.resize, tuple(RESIZES))
        self._check_settings()
        self._check_folder()

    def _check_settings(self) -> None:
        for name in ("baseline", "second_baseline"):
            value = getattr(self.settings, name)
            if isinstance(value, str) and value == "dataset":
                raise ValueError(
                    f'`{name}` must not be "dataset": the images are not all in memory. Received: {name}="dataset". '
                    f"Pass the mean of the training set: {name}=x_train.mean(axis=0)."
                )
        if getattr(self.settings.segmentation, "ndim", 2) != 2:
            raise ValueError("`segmentation` must be one label map (h, w) for all images. Received: several.")

    def _check_folder(self) -> None:
        folder = self.folder
        if not folder.exists() or (folder / "audit.json").exists():
            return
        content = [folder.name]
        if folder.is_dir():
            content = [each.name for each in folder.iterdir() if each.name[0] != "."]
        if content:
            raise ValueError(
                f"`out` must be a new or empty folder, or that of an audit. Received: {str(folder)!r}, which holds "
                f"{content[0]!r}. Choose another."
            )
