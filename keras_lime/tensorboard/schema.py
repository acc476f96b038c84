"""Schema: every logged field once. Writer, records, stacking, the routes and the page's types are made from it.

A record is one event of one tag. It holds arrays and, in its header, JSON values; the rows below say which. Who logs a
new field adds a row here: `records.build` then takes it, `stacking` stacks it over the epochs, the routes serve it, and
the page decodes it. A name without a row is refused by the writer and named in a notice by the reader.

Imports the standard library alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, nan
from types import MappingProxyType

__all__ = ["AXES", "SCHEMA", "Field", "Schema"]

AXES: Mapping[str, str] = MappingProxyType(
    {
        "targets": "the outputs explained at this epoch",
        "segments": "the superpixels of the probe",
        "probes": "the probes, in the order of the manifest",
        "classes": "the true classes of the probes, in the order of `class_ids`",
        "regions": "corners and borders, in the order of `shortcut.occlusion`",
        "height": "rows of pixels",
        "width": "columns of pixels",
        "channels": "of the model's input",
        "levels": "values of a picture's channel, 0 to 255",
        "bytes": "of a file",
    }
)
"""What an axis of a shape counts."""

JSON_TYPES = ("text", "number", "flag", "texts", "numbers", "object", "objects")


@dataclass(frozen=True)
class Field:
    """One logged field.

    Attributes:
        record: kind of the record that holds it; `"manifest.probes"` is an entry of the manifest's `probes`.
        name: its name there. `"picture_*"` stands for `picture_0`, `picture_1` and so on.
        dtype: of an array its NumPy name, `"*"` for any; of a header's value one of `JSON_TYPES`.
        shape: names of the axes, see `AXES`; `None` for a value of the header, `("*",)` for any shape.
        since: version of keras_lime that first logged it.
        meaning: what it says, for readers of the log.
        missing: what stands for an epoch that has no value.
        optional: whether it is left out of a series in which no epoch has it.
    """

    record: str
    name: str
    dtype: str
    shape: tuple[str, ...] | None
    since: str
    meaning: str
    missing: float = nan
    optional: bool = False

    @property
    def is_array(self) -> bool:
        """Whether it is an array of the record; else a value of its header."""
        return self.shape is not None

    @property
    def served(self) -> str:
        """Dtype in which the routes serve it: floats where a missing value is NaN."""
        if self.dtype == "number" and not isnan(self.missing):
            return "int32"
        return "float32" if isnan(self.missing) else self.dtype


class Schema:
    """The fields by record.

    Args:
        fields: the rows.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self._arrays: dict[str, dict[str, Field]] = {}
        self._headers: dict[str, dict[str, Field]] = {}
        for field in self.fields:
            table = self._arrays if field.is_array else self._headers
            table.setdefault(field.record, {})[field.name] = field

    def arrays(self, record: str) -> Mapping[str, Field]:
        """The arrays of a record by name."""
        return self._arrays.get(record, {})

    def header(self, record: str) -> Mapping[str, Field]:
        """The header's values of a record by name."""
        return self._headers.get(record, {})

    def array(self, record: str, name: str) -> Field | None:
        """The array of that name, `picture_3` by its row `picture_*`; `None` if the schema has none."""
        arrays = self.arrays(record)
        stem, underscore, number = name.rpartition("_")
        return arrays.get(name) or (arrays.get(f"{stem}_*") if underscore and number.isdecimal() else None)

    def has_array(self, name: str) -> bool:
        """Whether a record of any kind has an array of that name."""
        return any(self.array(record, name) is not None for record in self._arrays)

    def with_field(self, field: Field) -> "Schema":
        """A schema with one more row."""
        return Schema((*self.fields, field))


_TARGETS, _WEIGHTS = ("targets",), ("targets", "segments")
_CLASSES, _REGIONS, _PROBES = ("classes",), ("regions",), ("probes",)


def _per_class(name: str, since: str, meaning: str, by_class: str | None = None, optional: bool = True) -> list[Field]:
    """A number of the summary over all probes, and the same by class."""
    return [
        Field("summary", name, "float32", (), since, meaning, optional=optional),
        Field(
            "summary",
            by_class or f"class_{name}",
            "float32",
            _CLASSES,
            since,
            f"The same by class: {meaning}",
            optional=optional,
        ),
    ]


SCHEMA = Schema(
    [
        # The manifest: what one session explains, written at its first epoch.
        Field("manifest", "name", "text", None, "0.1", "Name of the callback."),
        Field("manifest", "keras_lime", "text", None, "0.1", "Version of keras_lime that wrote the session."),
        Field("manifest", "created", "text", None, "0.1", "When the session began, ISO 8601 in UTC."),
        Field("manifest", "class_names", "texts", None, "0.1", "Names of the outputs; null without."),
        Field(
            "manifest",
            "output",
            "text",
            None,
            "0.1",
            "Meaning of the outputs: softmax, sigmoid, multilabel or regression.",
        ),
        Field("manifest", "n_outputs", "number", None, "0.1", "Outputs that can be explained."),
        Field("manifest", "settings", "object", None, "0.1", "The explainer's settings, see `Settings.describe`."),
        Field("manifest", "probes", "objects", None, "0.1", "The probes, in order."),
        Field("manifest", "flags", "object", None, "0.1", "Sentences for the bits of `flags`."),
        Field("manifest", "caveats", "object", None, "0.1", "Sentences for the bits of `caveats`."),
        Field("manifest", "shortcut", "object", None, "0.1", "Settings of the shortcut tests; null where off."),
        Field("manifest", "fits", "numbers", None, "0.1", "Steps at which the trainings in this run began."),
        Field("manifest.probes", "id", "text", None, "0.1", "Hash of the image."),
        Field("manifest.probes", "name", "text", None, "0.1", "Its name, null without."),
        Field("manifest.probes", "label", "number", None, "0.1", "Its true class, null without."),
        Field("manifest.probes", "height", "number", None, "0.1", "Rows of pixels."),
        Field("manifest.probes", "width", "number", None, "0.1", "Columns of pixels."),
        Field("manifest.probes", "n_segments", "number", None, "0.1", "Number of its superpixels."),
        Field("manifest.probes", "chance", "number", None, "0.1", "Share of the picture that the object covers."),
        # A probe: what stays the same over the epochs.
        Field("probe", "id", "text", None, "0.1", "Hash of the image."),
        Field("probe", "name", "text", None, "0.1", "Its name, null without."),
        Field("probe", "label", "number", None, "0.1", "Its true class, null without."),
        Field("probe", "height", "number", None, "0.1", "Rows of pixels."),
        Field("probe", "width", "number", None, "0.1", "Columns of pixels."),
        Field("probe", "dtype", "text", None, "0.1", "NumPy dtype of the image as the model gets it."),
        Field(
            "probe",
            "image_scale",
            "numbers",
            None,
            "0.1",
            "Factor and offset of `image`; null: it is stored as is. Not logged since 0.2.",
        ),
        Field("probe", "image_shape", "numbers", None, "0.2", "Shape of the image as the model gets it."),
        Field("probe", "picture", "uint8", ("bytes",), "0.1", "A PNG file of the picture for people."),
        Field(
            "probe",
            "image",
            "*",
            ("*",),
            "0.1",
            "The image as the model gets it, see `image_scale`; left out where `image_levels` say it.",
            optional=True,
        ),
        Field(
            "probe",
            "image_levels",
            "*",
            ("channels", "levels"),
            "0.2",
            "What the model gets in each channel for each value of the picture, 0 to 255.",
            optional=True,
        ),
        Field("probe", "image_channels", "numbers", None, "0.2", "Channel of the picture that each of these reads."),
        Field("probe", "segments", "*", ("height", "width"), "0.1", "Superpixel of each pixel, uint16 or int32."),
        Field("probe", "object_mask", "uint8", ("height", "width"), "0.1", "1 on the object.", optional=True),
        Field("probe", "outline", "text", None, "0.2", "What outlines the object: mask, box or estimated; or null."),
        Field(
            "probe",
            "estimated_mask",
            "uint8",
            ("height", "width"),
            "0.2",
            "1 on what is taken for the object where nobody marked it.",
            optional=True,
        ),
        Field("probe", "object_fraction", "float32", ("segments",), "0.1", "Share on the object.", optional=True),
        # A result: one probe at one epoch.
        Field("result", "predicted", "number", None, "0.1", "The predicted class; null for a regression.", -1),
        Field("result", "predicted_value", "number", None, "0.1", "Its probability; of a regression the output."),
        Field("result", "num_samples", "number", None, "0.1", "Perturbed images that were scored.", optional=True),
        Field("result", "group", "number", None, "0.1", "Its cluster among the heatmaps of its class.", -1, True),
        Field("result", "targets", "int32", _TARGETS, "0.1", "Index of the output.", -1),
        Field("result", "coef", "float32", _WEIGHTS, "0.1", "Weight of each superpixel."),
        Field("result", "stderr", "float16", _WEIGHTS, "0.1", "Standard error of each weight.", optional=True),
        Field("result", "flags", "uint8", _WEIGHTS, "0.1", "What is doubtful about a weight, as bits.", 0, True),
        Field("result", "caveats", "uint16", _TARGETS, "0.1", "What is doubtful about it all, as bits.", 0, True),
        Field("result", "intercept", "float32", _TARGETS, "0.1", "Intercept of the surrogate."),
        Field("result", "r2", "float32", _TARGETS, "0.1", "R² of the surrogate."),
        Field("result", "local_prediction", "float32", _TARGETS, "0.1", "What the surrogate predicts for the image."),
        Field("result", "prediction", "float32", _TARGETS, "0.1", "Probability; of a regression the output."),
        Field(
            "result",
            "object_share",
            "float32",
            _TARGETS,
            "0.1",
            "Share of the positive weight on the object.",
            optional=True,
        ),
        Field(
            "result", "agreement", "float32", _TARGETS, "0.1", "Rank agreement with the second baseline.", optional=True
        ),
        Field(
            "result",
            "gradient_agreement",
            "float32",
            _TARGETS,
            "0.1",
            "Rank agreement with integrated gradients.",
            optional=True,
        ),
        Field("result", "coef_logit", "float16", _WEIGHTS, "0.2", "Weights on the log-odds.", optional=True),
        Field("result", "stderr_logit", "float16", _WEIGHTS, "0.2", "Their standard errors.", optional=True),
        Field("result", "r2_logit", "float32", _TARGETS, "0.2", "R² on the log-odds.", optional=True),
        # The summary: all probes of one epoch.
        Field("summary", "cross_check", "text", None, "0.1", "Why there are no gradients to compare with."),
        Field("summary", "carried", "text", None, "0.2", "How the probes were scored, with `carry_over`."),
        Field("summary", "shortcut", "object", None, "0.1", "The decision on the shortcut tests."),
        Field("summary.shortcut", "alarm", "flag", None, "0.1", "Whether an alarm is on."),
        Field("summary.shortcut", "began", "number", None, "0.1", "Epoch of its first measurement."),
        Field("summary.shortcut", "words", "text", None, "0.1", "The alarm in words."),
        Field("summary.shortcut", "readings", "objects", None, "0.1", "The test results that raised it."),
        Field("summary.shortcut", "unmeasured", "texts", None, "0.1", "What could not be measured, and why."),
        Field("summary.shortcut", "status", "text", None, "0.1", "Passed, alarm, not tested or cannot say."),
        Field("summary.shortcut", "tests", "objects", None, "0.1", "Every test's result."),
        Field("summary.shortcut.tests", "test", "text", None, "0.1", "Name of the test."),
        Field("summary.shortcut.tests", "title", "text", None, "0.2", "What it tests, for people."),
        Field("summary.shortcut.tests", "status", "text", None, "0.1", "Passed, alarm, not tested or cannot say."),
        Field("summary.shortcut.tests", "reason", "text", None, "0.1", "Why that."),
        Field("summary.shortcut.tests", "remedy", "text", None, "0.1", "What to do about it; may be empty."),
        Field("summary.shortcut.tests", "statistics", "object", None, "0.1", "Its numbers by name."),
        Field("summary.shortcut.readings", "test", "text", None, "0.1", "Which test."),
        Field("summary.shortcut.readings", "subject", "text", None, "0.1", "What it was made on: a class, a region."),
        Field("summary.shortcut.readings", "value", "number", None, "0.1", "What it measured."),
        Field("summary.shortcut.readings", "stderr", "number", None, "0.1", "Its standard error."),
        Field("summary.shortcut.readings", "threshold", "number", None, "0.1", "Value above which it counts."),
        Field("summary.shortcut", "markers", "objects", None, "0.2", "Blocks off the object that carry a prediction."),
        Field("summary.shortcut.markers", "probe", "text", None, "0.2", "Id of the probe."),
        Field("summary.shortcut.markers", "name", "text", None, "0.2", "Its name, null without."),
        Field("summary.shortcut.markers", "label", "number", None, "0.2", "The class that is predicted for it."),
        Field("summary.shortcut.markers", "strength", "number", None, "0.2", "Probability that hangs on the block."),
        Field("summary.shortcut.markers", "box", "numbers", None, "0.2", "Top, left, bottom, right in pixels."),
        Field("summary", "class_ids", "int32", _CLASSES, "0.1", "The true classes that probes have.", -1),
        *_per_class("object_share", "0.1", "Share of the positive weight on the object.", optional=False),
        *_per_class("object_chance", "0.1", "The share that chance would give.", "class_chance", optional=False),
        *_per_class("r2", "0.1", "R² of the surrogates.", optional=False),
        *_per_class("probability", "0.1", "Probability of the first target.", optional=False),
        *_per_class("accuracy", "0.1", "Share of the probes that are predicted right.", optional=False),
        *_per_class("object_share_stderr", "0.1", "Standard error of the object share over the probes."),
        *_per_class("swap_flip", "0.1", "Share of predictions that change with the background."),
        *_per_class("swap_flip_stderr", "0.1", "Standard error of that share."),
        Field(
            "summary",
            "same_flip",
            "float32",
            (),
            "0.2",
            "Share of predictions that change on other backgrounds of the same class.",
            optional=True,
        ),
        Field(
            "summary",
            "reliance",
            "float32",
            (),
            "0.2",
            "Share of predictions that follow the class of the background.",
            optional=True,
        ),
        Field("summary", "reliance_stderr", "float32", (), "0.2", "Standard error of that share.", optional=True),
        *_per_class("p_background", "0.1", "Certainty that the background alone keeps."),
        *_per_class("p_object", "0.1", "Certainty that the object alone keeps."),
        Field("summary", "swap_chance", "float32", (), "0.1", "Probability of a class by guessing.", optional=True),
        Field("summary", "p_frame", "float32", (), "0.1", "Certainty that the outer frame alone keeps.", optional=True),
        Field("summary", "shortcut_counted", "uint8", (), "0.1", "1 where the measurement counts.", optional=True),
        Field("summary", "shortcut_alarm", "uint8", (), "0.1", "1 where an alarm is on.", optional=True),
        Field("summary", "train_accuracy", "float32", (), "0.1", "Training accuracy.", optional=True),
        Field("summary", "accuracy_needed", "float32", (), "0.1", "Accuracy from which on it counts.", optional=True),
        Field(
            "summary",
            "occlusion_drop",
            "float32",
            _REGIONS,
            "0.1",
            "Fall of the probability when hidden.",
            optional=True,
        ),
        Field("summary", "occlusion_drop_stderr", "float32", _REGIONS, "0.1", "Standard error of that.", optional=True),
        Field(
            "summary",
            "class_occlusion_drop",
            "float32",
            (*_CLASSES, *_REGIONS),
            "0.1",
            "The fall by class.",
            optional=True,
        ),
        Field(
            "summary", "passes", "float32", (), "0.2", "About how many forward passes the epoch took.", optional=True
        ),
        Field(
            "summary", "epoch_share", "float32", (), "0.2", "Share of the epoch's time that they took.", optional=True
        ),
        Field("summary", "probe_set", "text", None, "0.2", "Hash of the probes' ids, in order."),
        Field("summary", "probe_predicted", "int32", _PROBES, "0.2", "Predicted class of each.", -1, True),
        Field("summary", "probe_value", "float32", _PROBES, "0.2", "Its probability.", optional=True),
        Field("summary", "probe_share", "float32", _PROBES, "0.2", "Object share of each.", optional=True),
        Field("summary", "probe_weight", "float32", _PROBES, "0.2", "Largest weight of each.", optional=True),
        Field("summary", "probe_r2", "float32", _PROBES, "0.2", "R² of each.", optional=True),
        # Swapped pictures: objects on other backgrounds that changed the prediction.
        Field("swaps", "pairs", "objects", None, "0.1", "One entry a picture, in their order."),
        Field("swaps", "picture_*", "uint8", ("bytes",), "0.1", "A PNG file of the swapped picture."),
        Field("swaps.pairs", "probe", "text", None, "0.1", "Id of the probe whose object it is."),
        Field("swaps.pairs", "donor", "text", None, "0.1", "Id of the probe whose background it is."),
        Field("swaps.pairs", "name", "text", None, "0.1", "Name of the probe."),
        Field("swaps.pairs", "label", "number", None, "0.1", "True class of the object."),
        Field("swaps.pairs", "before", "number", None, "0.1", "Class predicted for the probe as it is."),
        Field("swaps.pairs", "before_value", "number", None, "0.1", "Its probability."),
        Field("swaps.pairs", "after", "number", None, "0.1", "Class predicted for the swapped picture."),
        Field("swaps.pairs", "after_value", "number", None, "0.1", "Its probability."),
        # Nearest training images: by the model's last features.
        Field("neighbours", "pairs", "objects", None, "0.2", "One entry a probe and training image, nearest first."),
        Field("neighbours", "picture_*", "uint8", ("bytes",), "0.2", "A PNG or JPEG file of a training image."),
        Field("neighbours.pairs", "probe", "text", None, "0.2", "Id of the probe."),
        Field("neighbours.pairs", "picture", "number", None, "0.2", "Which picture it is."),
        Field("neighbours.pairs", "label", "number", None, "0.2", "True class of the training image; null: unknown."),
        Field("neighbours.pairs", "similarity", "number", None, "0.2", "Cosine of the features, −1 to 1."),
    ]
)
"""What the present version logs. A field keeps its name and meaning for good: old logs are read by it too."""
