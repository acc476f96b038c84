"""The explainer's settings, documented once, for `explain()` and `LimeCallback` alike."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypedDict

import numpy as np

from keras_lime.core.baseline import BASELINES, Baseline
from keras_lime.core.display import DisplayFn
from keras_lime.core.from_lime import FROM_LIME
from keras_lime.core.options import Option, count_or_auto, index_or_name, number_or_name
from keras_lime.core.sampling import SAMPLINGS, Sampling
from keras_lime.core.segmentation import SEGMENTATION_METHODS, SegmentationMethod
from keras_lime.core.surrogate import ridge_penalty

__all__ = [
    "OUTPUTS",
    "PROXIES",
    "SCALES",
    "Proxy",
    "Scale",
    "Settings",
    "SettingsDict",
    "Targets",
    "make_settings",
    "options",
]

Scale = Literal["probability", "logit"]

SCALES = ("probability", "logit")

Proxy = Literal["none", "pairs"]

PROXIES = ("none", "pairs")

Targets = str | int | Sequence[str | int]

_ALSO: dict[str, str | None] = {"num_samples": "auto", "batch_size": None}
"""What else may stand for a whole number."""

OUTPUTS = ("auto", "softmax", "logits", "sigmoid", "multilabel", "regression")


def _by_text(text: str, parse: Callable[[str], Any] = str, metavar: str = "NAME", **more: Any) -> dict[str, Option]:
    """Metadata of a field that can be given as text."""
    return {"option": Option(text, parse, metavar, **more)}


class SettingsDict(TypedDict, total=False):
    """The keywords that `explain()` and `LimeCallback` take; `Settings` explains each."""

    segmentation: SegmentationMethod
    n_segments: int
    baseline: Baseline
    second_baseline: Baseline | None
    num_samples: int | Literal["auto"]
    tolerance: float
    max_samples: int
    sampling: Sampling
    proxy: Proxy
    kernel_width: float
    surrogate: Any
    targets: Targets
    scale: Scale
    output: str
    head: str | int | None
    display_fn: DisplayFn | None
    batch_size: int | None
    seed: int


@dataclass(frozen=True, eq=False)
class Settings:
    """All settings of the explainer. Both `explain()` and `LimeCallback` take them as keywords.

    Attributes:
        segmentation: how the image is cut in superpixels: `"slic"`, `"quickshift"`, `"felzenszwalb"`, `"grid"`, a
            callable from an RGB picture (h, w, 3), float in 0..1, to an integer label map (h, w), or such a map.
            Settings of the algorithms go in with `functools.partial(skimage.segmentation.slic, n_segments=80)`.
            Defaults to `"slic"`.
        n_segments: wanted number of superpixels for the named methods. Defaults to `50`.
        baseline: what hidden superpixels show, in model input: `"mean"` (their own mean colour, LIME's choice),
            `"blur"` (the blurred image), `"grey"` (the middle of the display range), `"noise"` (every value drawn from
            the display range, by `seed`), `"dataset"` (the mean of the images explained together: the probe set or
            the batch), `"others"` (another one of them, chosen by the image's content), a number or one number per
            channel, an image, or a callable from image (h, w, c) and labels (h, w) to an image. `"mean"` still tells
            the model the colours of what it hides, so a scene can be recognised by them; where the question is whether
            a model reads the background, `"grey"` separates better. Superpixels that look the same hidden as shown
            cannot be judged and are marked. Defaults to `"mean"`.
        second_baseline: the same perturbations are scored once more with this in place of `baseline`, and
            `Explanation.agreement` says how far the two explanations agree; twice the model calls. Defaults to `None`.
        num_samples: perturbations per image, the image itself included. `"auto"` takes as many as each image needs: it
            scores in rounds until the weights are sure enough, see `tolerance`, and `Explanation.num_samples` says how
            many that were. Defaults to `1000`, in `LimeCallback` to `256`.
        tolerance: for `num_samples="auto"`: the typical (root mean square) standard error of a target's weights that is
            small enough, as a share of its largest absolute weight; > 0. It has to be reached for every target.
            Defaults to `0.1`.
        max_samples: for `num_samples="auto"`: perturbations per image at most, the image itself included. Defaults to
            `2000`.
        sampling: `"balanced"`, an orthogonal design with the same limit as LIME's own that needs about half of the
            samples for the same error, or `"bernoulli"`, LIME's own independent coins. Defaults to `"balanced"`.
        proxy: `"pairs"` estimates the answers to further masks of the balanced design from those to the scored ones, by
            superpixels and pairs that touch, and corrects the weights: the limit and the passes stay, and errors are
            smaller where superpixels that touch act together. Defaults to `"none"`.
        kernel_width: width of the exponential kernel on the cosine distance between masks. Defaults to `0.25`.
        surrogate: scikit-learn regressor with `coef_` whose `fit` takes `sample_weight`; cloned and fitted per target.
            Defaults to `None`, LIME's `Ridge(alpha=1)`.
        targets: which outputs are explained, all from the same forward passes: `"label"` (the true label; left out
            where none is known), `"predicted"`, `"top3"` (or any number), an index, a name in `class_names`, or a
            sequence of these. Defaults to `("label", "predicted")`.
        scale: what the surrogate is fitted to: `"probability"`, LIME's choice, or `"logit"`, the log-odds
            `log p − log(1 − p)` of the same forward passes, which still tell superpixels apart where the probability
            is 1.000 whatever is hidden. The same for regression. Defaults to `"probability"`.
        output: what the model's output means: `"softmax"`, `"logits"` (explained through softmax), `"sigmoid"` (one
            output; class 0 is explained through 1 − p), `"multilabel"`, `"regression"`, or `"auto"`, which reads the
            last activation and then the loss. Defaults to `"auto"`.
        head: name or index of the output, for a model with several. Defaults to `None`.
        display_fn: maps one image as the model gets it to RGB, uint8 or float 0..1, for superpixels and pictures;
            needed for ranges other than 0..1, −1..1 and 0..255. Defaults to `None`.
        batch_size: images per forward pass. Defaults to `None`, chosen from the image size.
        seed: the only source of randomness, >= 0. Defaults to `0`.
    """

    segmentation: SegmentationMethod = field(
        default="slic", metadata=_by_text("how images are cut in superpixels", choices=SEGMENTATION_METHODS)
    )
    n_segments: int = field(default=50, metadata=_by_text("superpixels per image, about", int, "N"))
    baseline: Baseline = field(
        default="mean",
        metadata=_by_text("what hidden superpixels show", number_or_name, choices=BASELINES, also="a number"),
    )
    second_baseline: Baseline | None = field(
        default=None,
        metadata=_by_text(
            "explain a second time with this baseline and compare", number_or_name, choices=BASELINES, also="a number"
        ),
    )
    num_samples: int | Literal["auto"] = field(
        default=1000,
        metadata=_by_text("perturbations per image", count_or_auto, "N", also="auto, as many as each image needs"),
    )
    tolerance: float = field(
        default=0.1, metadata=_by_text("for auto: error of the weights that is small enough", float, "X")
    )
    max_samples: int = field(default=2000, metadata=_by_text("for auto: perturbations per image at most", int, "N"))
    sampling: Sampling = field(default="balanced", metadata=_by_text("how perturbations are drawn", choices=SAMPLINGS))
    proxy: Proxy = field(
        default="none", metadata=_by_text("what estimates the answers to further perturbations", choices=PROXIES)
    )
    kernel_width: float = field(default=0.25, metadata=_by_text("width of LIME's kernel", float, "X"))
    surrogate: Any = None
    targets: Targets = field(
        default=("label", "predicted"),
        metadata=_by_text("predicted, label, top3, or a class number", index_or_name, "T", several=True),
    )
    scale: Scale = field(default="probability", metadata=_by_text("what the weights are measured in", choices=SCALES))
    output: str = field(default="auto", metadata=_by_text("what the model's output means", choices=OUTPUTS))
    head: str | int | None = field(
        default=None, metadata=_by_text("name or number of the output, for a model with several", index_or_name)
    )
    display_fn: DisplayFn | None = None
    batch_size: int | None = field(
        default=None, metadata=_by_text("images per forward pass, by default chosen from their size", int, "N")
    )
    seed: int = field(default=0, metadata=_by_text("of everything that is random", int, "N"))

    def __post_init__(self) -> None:
        _check_choice("segmentation", self.segmentation, SEGMENTATION_METHODS, "a callable or a label map")
        _check_choice("baseline", self.baseline, BASELINES, "a colour, an image or a callable")
        if self.second_baseline is not None:
            _check_choice("second_baseline", self.second_baseline, BASELINES, "a colour, an image or a callable")
        for name, choices in (("output", OUTPUTS), ("sampling", SAMPLINGS), ("proxy", PROXIES), ("scale", SCALES)):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(choices)}. Received: {name}={getattr(self, name)!r}."
                )
        for name, least in (("n_segments", 2), ("num_samples", 2), ("max_samples", 2), ("seed", 0), ("batch_size", 1)):
            value, also = getattr(self, name), _ALSO.get(name)
            if name in _ALSO and (value is also or (isinstance(value, str) and value == also)):
                continue
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
                other = f", or {also!r}" if also else ""
                raise ValueError(f"`{name}` must be an integer of at least {least}{other}. Received: {name}={value!r}.")
        for name, hint in (("kernel_width", "LIME uses 0.25"), ("tolerance", "0.1 is a tenth of the largest weight")):
            number = getattr(self, name)
            real = isinstance(number, int | float | np.number) and not isinstance(number, bool)
            if not real or not np.isfinite(number) or number <= 0:
                raise ValueError(f"`{name}` must be a positive number; {hint}. Received: {name}={number!r}.")
        for name in ("display_fn", "surrogate"):
            value = getattr(self, name)
            if value is not None and not (callable(value) if name == "display_fn" else hasattr(value, "fit")):
                kind = "a callable" if name == "display_fn" else "a scikit-learn regressor"
                raise TypeError(f"`{name}` must be {kind} or None. Received: {name}={value!r}.")
        unknown_errors = self.surrogate is not None and ridge_penalty(self.surrogate) is None
        if self.proxy != "none" and (self.sampling != "balanced" or unknown_errors):
            raise ValueError(
                "`proxy` needs balanced masks, and ridge regression or least squares with an intercept. Received: "
                f"proxy={self.proxy!r}, sampling={self.sampling!r}, surrogate={self.surrogate!r}. Leave `proxy` out."
            )
        if self.num_samples == "auto" and unknown_errors:
            raise ValueError(
                '`num_samples="auto"` goes by the standard errors of the weights, which are known for ridge regression '
                f"and least squares with an intercept. Received: surrogate={self.surrogate!r}. "
                "Give `num_samples` a number."
            )
        self.wanted(None)

    @property
    def most_samples(self) -> int:
        """Perturbations per image at most."""
        return self.max_samples if self.num_samples == "auto" else int(self.num_samples)

    def wanted(self, label: int | None, classes: Sequence[int] = ()) -> tuple[int | str, ...]:
        """The targets for one image: indices, `"predicted"` and `"top<k>"`, with `"label"` replaced.

        Args:
            label: true label of the image, or None.
            classes: true classes of an image that has several. Defaults to `()`.

        Returns:
            At least one target; `"predicted"` where only an unknown label was asked for.

        Raises:
            ValueError: if `targets` holds anything else.
        """
        several = isinstance(self.targets, Sequence | np.ndarray) and not isinstance(self.targets, str)
        entries: list[Any] = list(self.targets) if several else [self.targets]  # type: ignore[arg-type]
        wanted: list[int | str] = []
        for entry in entries:
            if entry == "label":
                wanted += classes if label is None else [label]
            elif isinstance(entry, str) and _is_keyword(entry):
                if entry == "top0":
                    raise ValueError('`targets` must ask for at least one class. Received: targets="top0".')
                wanted.append(str(entry))
            elif isinstance(entry, int | np.integer) and not isinstance(entry, bool) and entry >= 0:
                wanted.append(int(entry))
            else:
                raise ValueError(
                    '`targets` must be "label", "predicted", "top<k>" such as "top3", a class index from 0 on, a '
                    f"name in `class_names`, or a sequence of these. Received: {entry!r}."
                )
        if not entries:
            raise ValueError("`targets` must name at least one target. Received: an empty sequence.")
        return tuple(wanted) or ("predicted",)

    def describe(self) -> dict[str, Any]:
        """The settings as JSON values: callables and objects by name, arrays by shape."""
        return {name: _describe(value) for name, value in _by_name(self).items()}


def make_settings(given: Mapping[str, Any], *, class_names: Sequence[str] | None = None, **defaults: Any) -> Settings:
    """`Settings` from keywords.

    Args:
        given: the user's keywords; `targets` may be names of classes.
        class_names: names of the outputs in order, or None.
        **defaults: values used where `given` has none.

    Returns:
        The checked `Settings`.

    Raises:
        TypeError: for an unknown keyword, with the most similar known one, or with what a keyword of `lime` is here.
        ValueError: for a value that does not fit.
    """
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name in FROM_LIME:
            raise TypeError(f"`{name}` is an argument of the lime package and no setting here. {FROM_LIME[name]}")
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{close[0]}`?" if close else f"Known are: {', '.join(known)}."
            raise TypeError(f"`{name}` is no setting of the explainer. {hint}")
    chosen = {**defaults, **given}
    if class_names is not None and "targets" in chosen:
        chosen["targets"] = _targets_by_index(chosen["targets"], class_names)
    return Settings(**chosen)


def options() -> dict[str, Option]:
    """What a command line says and reads for each setting that can be given as text, by the setting's name."""
    return {each.name: each.metadata["option"] for each in fields(Settings) if "option" in each.metadata}


def _targets_by_index(targets: Any, class_names: Sequence[str]) -> Any:
    """Targets with indices in place of class names; a keyword such as "predicted" takes precedence over a class."""
    if isinstance(targets, str):
        named = not _is_keyword(targets) and targets in class_names
        return list(class_names).index(targets) if named else targets
    if isinstance(targets, list | tuple):
        return tuple(_targets_by_index(entry, class_names) if isinstance(entry, str) else entry for entry in targets)
    return targets


def _is_keyword(target: str) -> bool:
    return target in ("label", "predicted") or (target[:3] == "top" and target[3:].isdigit())


def _by_name(settings: Settings) -> dict[str, Any]:
    """The fields by name; `dataclasses.asdict` would copy models and arrays."""
    return {field.name: getattr(settings, field.name) for field in fields(settings)}


def _check_choice(name: str, value: Any, choices: Collection[str], others: str) -> None:
    if isinstance(value, str) and value not in choices:
        close = difflib.get_close_matches(value, choices, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}, or {others}. Received: {value!r}.{hint}")
    if value is None:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}, or {others}. Received: None.")


def _describe(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return f"array{value.shape}" if value.size > 8 else value.tolist()
    if callable(value):
        function = getattr(value, "func", value)
        return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    if isinstance(value, Sequence):
        return [_describe(item) for item in value]
    return repr(value)
