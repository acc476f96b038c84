"""`LimeCallback`: explains a fixed probe set at the end of chosen epochs and logs what it finds.

Training is sacred: what cannot work is refused before the first batch, and what fails later warns and lets training go
on. May import Keras, the core, the scorer and the log.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack

import keras

from keras_lime.core.explanation import Explanation
from keras_lime.core.pipeline import check_classes, explain_plans
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.exceptions import warn
from keras_lime.probes import ProbeSet
from keras_lime.scoring import make_scorer
from keras_lime.scoring.gradients import CrossCheck
from keras_lime.shortcut import Summary, summarise
from keras_lime.shortcut.decision import Verdict
from keras_lime.shortcut.monitor import ShortcutResult, ShortcutWatch
from keras_lime.tensorboard.logging.log import LimeLog
from keras_lime.training.processes import is_first_process
from keras_lime.training.progress import Progress
from keras_lime.training.schedule import Epochs, PictureSchedule, check_epochs, is_chosen

__all__ = ["LimeCallback"]


class LimeCallback(keras.callbacks.Callback):
    """Shows during training what the model looks at.

    At the end of chosen epochs the same probes are explained with the same superpixels and the same perturbations, so
    two epochs differ by the model alone. The first epoch of every `fit` is always explained. Everything is written to
    `<log_dir>/<name>`; look at it with `tensorboard --logdir <log_dir>`.

    `logs` gains `lime_r2` and, where the probes have object masks, `lime_object_share`, for `EarlyStopping` (with
    `mode="max"`), `CSVLogger` and `History`. Both are there at every epoch: between explained epochs the last value is
    repeated, and where nothing can be said the share is the chance share and R² is 0. Put this callback before those
    that read them.

    With object masks and labels the shortcut test is made too: each object is pasted on the backgrounds of four probes
    of other classes, and `lime_swap_flip` in `logs` is the share of the predictions that change (for `EarlyStopping`,
    `mode="min"`). If it is above `shortcut_threshold` for `patience` explained epochs in a row, a warning says so.
    Epochs count once the training accuracy in `logs` is at least 0.5 (for two classes 0.65). Without masks, corners and
    borders are hidden in search of watermarks.

    Args:
        probes: the images to follow, a `ProbeSet`.
        log_dir: folder of the run, the same as the `TensorBoard` callback's.
        name: name of the folder in `log_dir` and prefix of the keys in `logs`; two callbacks of one `fit` need two
            names. Defaults to `"lime"`.
        epochs: which epochs are explained: every n-th, a set of epochs counted from 0, or a function from the epoch to
            a bool. Defaults to `1`, every epoch.
        max_images: probes whose overlay is shown in TensorBoard's own Images tab, at no more than 10 epochs spread over
            the run. Defaults to `8`.
        verbose: 0 is silent, 1 shows a progress bar, 2 prints a line. Defaults to `"auto"`, as `fit` has it.
        shortcut_threshold: share of the predictions that may change when backgrounds are swapped, 0..1; `None` makes no
            shortcut tests. Defaults to `0.25`.
        patience: explained epochs in a row above the threshold that make an alarm. Defaults to `2`.
        on_alarm: called with the `Verdict` when an alarm begins; its `words` say what was found. Defaults to `None`.
        stop_training: end the training when an alarm begins. Defaults to `False`.
        cross_check: compare the weights with `integrated_gradients`, 16 passes a probe. Defaults to `False`.
        on_error: `"warn"` warns once and lets training go on when an explanation fails, `"raise"` raises. Defaults to
            `"warn"`.
        **settings: see `keras_lime.Settings`; `num_samples` defaults to 256 here.

    Raises:
        ValueError: for bad arguments here, and at the start of training for probes that the model does not take.
        TypeError: for an unknown setting.
        OSError: at the start of training, if `log_dir` cannot be written.

    Example:
        >>> probes = ProbeSet.from_dataset(val_ds, per_class=2)
        >>> model.fit(train_ds, epochs=20, callbacks=[LimeCallback(probes, "logs/run1")])
    """

    def __init__(
        self,
        probes: ProbeSet,
        log_dir: str | Path,
        *,
        name: str = "lime",
        epochs: Epochs = 1,
        max_images: int = 8,
        verbose: Literal["auto", 0, 1, 2] = "auto",
        shortcut_threshold: float | None = 0.25,
        patience: int = 2,
        on_alarm: Callable[[Verdict], Any] | None = None,
        stop_training: bool = False,
        cross_check: bool = False,
        on_error: Literal["warn", "raise"] = "warn",
        **settings: Unpack[SettingsDict],
    ) -> None:
        super().__init__()
        self._settings = make_settings(settings, num_samples=256)
        _check(probes, log_dir, name, max_images, verbose, on_error)
        if on_alarm is not None and not callable(on_alarm):
            raise TypeError(f"`on_alarm` must be a function of the verdict, or None. Received: on_alarm={on_alarm!r}.")
        check_epochs(epochs)
        self.probes = probes
        self.directory = Path(log_dir) / name
        self.name = name
        self._epochs, self._max_images, self._verbose, self._on_error = epochs, max_images, verbose, on_error
        self._subjects = probes.subjects()
        self._on_alarm, self._stop_training = on_alarm, stop_training
        self._gradients = CrossCheck() if cross_check else None
        self._watch: ShortcutWatch | None = None
        if shortcut_threshold is not None:
            self._watch = ShortcutWatch(
                probes.images,
                probes.labels,
                probes.masks,
                class_names=probes.class_names,
                display_fn=self._settings.display_fn,
                threshold=shortcut_threshold,
                patience=patience,
                seed=self._settings.seed,
            )
        self._plans: list[Plan] | None = None
        self._log: LimeLog | None = None
        self._reset(None)

    def _reset(self, planned: list[int] | None) -> None:
        self._pictures = PictureSchedule(planned)
        self._latest: list[Explanation] = []
        self._pictured: int | None = None
        self._warned = False
        self._first_epoch = True
        self._metrics: dict[str, float] = {}
        self._shortcut: ShortcutResult | None = None
        if self._watch is not None:
            self._watch.reset()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks model and probes, makes the plans and opens the event file."""
        self._close()
        # Keras hands one `params` dict to all callbacks of a fit: the place to see another one of the same name.
        claimed = self.params.setdefault("keras_lime", {})
        if claimed.setdefault(self.name, self) is not self:
            raise ValueError(
                f"`name` must be unique among the LimeCallbacks of one fit. Received: name={self.name!r} twice. "
                'Give the second one a name of its own, such as name="lime_train".'
            )
        self._reset(None)
        self._prepare(self.model)
        self._open()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Spreads the pictures over the epochs that this fit will explain."""
        if self._first_epoch and self._log is not None:
            last = self.params.get("epochs") or epoch + 1
            planned = [each for each in range(epoch, last) if each == epoch or is_chosen(self._epochs, each)]
            self._pictures = PictureSchedule(planned)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Explains the probes if the epoch is chosen, and puts this callback's keys in `logs`."""
        if self._first_epoch or is_chosen(self._epochs, epoch):
            self._guarded(epoch, logs)
        self._first_epoch = False
        if logs is not None:
            logs.update(self._metrics)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the last explained epoch's pictures and closes the event file."""
        self._close()

    def explain(self, model: Any, epoch: int, logs: Mapping[str, Any] | None = None) -> list[Explanation]:
        """Explains and logs the probes now; for training loops of one's own, without `fit`.

        Call `close()` after the last epoch. Under JAX a training loop of one's own keeps the weights outside the model:
        write them back first, with `variable.assign(value)` for each of `model.trainable_variables` and
        `model.non_trainable_variables`, or the old weights are explained.

        Args:
            model: the Keras model, or a function on arrays.
            epoch: the step to log under.
            logs: what training measured, such as `{"accuracy": 0.8}`: shortcut tests count once this is high enough.
                Defaults to `None`, every epoch counts.

        Returns:
            One `Explanation` per probe.

        Raises:
            ValueError: if probes and model do not fit, or the model's output is not finite.
            OSError: if the log cannot be written.

        Example:
            >>> for epoch in range(10):
            ...     train_one_epoch(model)
            ...     explanations = callback.explain(model, epoch)
            >>> callback.close()
        """
        self._prepare(model)
        self._open()
        return self._explain(epoch, Progress(0, len(self.probes), self.name), logs)

    def close(self) -> None:
        """Ends a session of `explain()` calls: writes the last pictures and closes the event file."""
        self._close()

    def _prepare(self, model: Any) -> None:
        """Builds the model's scorer and, at the first call, the plans."""
        settings = self._settings
        self._scorer = make_scorer(
            model,
            self.probes.images[0].shape,
            output=settings.output,
            head=settings.head,
            batch_size=settings.batch_size,
        )
        check_classes(self._scorer, self._subjects, self.probes.class_names)
        if self._gradients is not None:
            self._gradients.follow(model)
        if self._plans is None:
            self._plans = make_plans(list(self.probes.images), settings)
        if self._watch is not None:
            self._watch.prepare()

    def _open(self) -> None:
        if self._log is None and is_first_process():
            shortcut = None if self._watch is None else self._watch.describe()
            names, settings = self.probes.class_names, self._settings.describe()
            self._log = LimeLog(self.directory, self.name, names, settings, shortcut)

    def _guarded(self, epoch: int, logs: Mapping[str, Any] | None) -> None:
        """Explains, and warns where that fails."""
        try:
            self._explain(epoch, Progress(self._verbosity(), len(self.probes), self.name), logs)
        except Exception as error:
            if self._on_error == "raise":
                raise
            if not self._metrics:
                self._metrics = self._as_logs(None)
            if not self._warned:
                self._warned = True
                warn(f"LimeCallback could not explain epoch {epoch}; training goes on, and this is said once. {error}")

    def _explain(self, epoch: int, progress: Progress, logs: Mapping[str, Any] | None) -> list[Explanation]:
        plans, names = self._plans or [], self.probes.class_names
        explanations: list[Explanation] = []
        for explanation in explain_plans(
            plans, self._subjects, self._scorer, self._settings, class_names=names, step=epoch
        ):
            explanations.append(explanation)
            progress.update(len(explanations))
        summary = summarise(explanations)
        began = self._test_for_shortcuts(epoch, explanations, logs)
        checked = None if self._gradients is None else self._gradients.check(explanations)
        self._metrics = self._as_logs(summary)
        progress.done(self._metrics)
        if self._log is not None:
            output = self._scorer.output
            about = None if output is None else (output.kind, output.n_outputs)
            self._log.write(epoch, plans, self._subjects, explanations, summary, self._shortcut, checked, about)
            self._latest = explanations
            if self._pictures.takes(epoch):
                self._write_pictures(self._log)
        if began and self._shortcut is not None:
            self._raise_alarm(epoch, self._shortcut.verdict)
        return explanations

    def _test_for_shortcuts(
        self, epoch: int, explanations: Sequence[Explanation], logs: Mapping[str, Any] | None
    ) -> bool:
        """Measures and judges; says whether an alarm began."""
        if self._watch is None:
            return False
        before = [each.predicted for each in explanations]
        values = [each.predicted_value for each in explanations]
        self._shortcut = self._watch.test(epoch, self._scorer, before, values, logs)
        return self._shortcut.verdict.began

    def _raise_alarm(self, epoch: int, verdict: Verdict) -> None:
        warn(f"Shortcut alarm at epoch {epoch}. {verdict.words}")
        if self._on_alarm is not None:
            self._on_alarm(verdict)
        if self._stop_training and self.model is not None:
            self.model.stop_training = True

    def _write_pictures(self, log: LimeLog) -> None:
        if self._latest and self._latest[0].step != self._pictured:
            self._pictured = self._latest[0].step
            log.pictures(self._latest[: self._max_images])
            if self._shortcut is not None and self._max_images:
                log.swaps(self._pictured or 0, self._shortcut, self._latest)

    def _close(self) -> None:
        log, self._log = self._log, None
        if log is None:
            return
        try:
            self._write_pictures(log)
            log.close()
        except OSError as error:
            warn(f"LimeCallback could not finish its log in {self.directory}. {error}")

    def _as_logs(self, summary: Summary | None) -> dict[str, float]:
        """The keys for `logs`, never NaN: a monitor that compares with NaN would never act again."""
        r2 = math.nan if summary is None else summary.overall.r2
        metrics = {f"{self.name}_r2": r2 if math.isfinite(r2) else 0.0}
        if self.probes.masks is not None:
            share = math.nan if summary is None else summary.overall.object_share
            metrics[f"{self.name}_object_share"] = share if math.isfinite(share) else float(self.probes.masks.mean())
        if self._watch is not None and self._watch.measures_swap:
            swap = None if self._shortcut is None else self._shortcut.evidence.swap
            metrics[f"{self.name}_swap_flip"] = 1.0 if swap is None else swap.figures().swap_flip
        return metrics

    def _verbosity(self) -> int:
        verbose = self.params.get("verbose", 0) if self._verbose == "auto" else self._verbose
        return 1 if verbose == "auto" else int(verbose)


def _check(probes: Any, log_dir: Any, name: Any, max_images: Any, verbose: Any, on_error: Any) -> None:
    if not isinstance(probes, ProbeSet):
        raise TypeError(
            f"`probes` must be a ProbeSet. Received: {type(probes).__name__}. Make one with `ProbeSet(images, labels)` "
            "or `ProbeSet.from_dataset(val_ds, per_class=2)`."
        )
    if not isinstance(log_dir, str | Path) or "://" in str(log_dir):
        raise ValueError(f"`log_dir` must be a folder of this machine's file system. Received: log_dir={log_dir!r}.")
    if (
        not isinstance(name, str)
        or not name
        or "/" in name
        or "\\" in name
        or name in {".", "..", "train", "validation"}
    ):
        raise ValueError(
            "`name` must name a folder beside Keras' own `train` and `validation`, without slashes. "
            f"Received: name={name!r}."
        )
    if not isinstance(max_images, int) or max_images < 0:
        raise ValueError(f"`max_images` must be an integer of at least 0. Received: max_images={max_images!r}.")
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'`verbose` must be "auto", 0, 1 or 2. Received: verbose={verbose!r}.')
    if on_error not in ("warn", "raise"):
        raise ValueError(f'`on_error` must be "warn" or "raise". Received: on_error={on_error!r}.')
