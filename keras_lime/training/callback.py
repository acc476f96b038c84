"""`LimeCallback`: explains a fixed probe set at the end of chosen epochs and logs what it finds.

Training is sacred: what cannot work is refused before the first batch, and what fails later warns and lets training go
on. May import Keras, the core, the scorer and the log.
"""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, Unpack

import keras

from keras_lime.core.carry_over import CarryOver, check_carry_over
from keras_lime.core.explanation import Explanation
from keras_lime.core.model_input import as_other_inputs
from keras_lime.core.phrases import count_of
from keras_lime.core.pipeline import check_classes
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.data.folder_path import writing
from keras_lime.exceptions import warn
from keras_lime.probes import ProbeSet
from keras_lime.scoring import check_agreement, make_scorer, release_weights
from keras_lime.scoring.gradients import CrossCheck
from keras_lime.shortcut.background_swap import RELIANCE_THRESHOLD
from keras_lime.shortcut.decision import Verdict
from keras_lime.shortcut.monitor import ShortcutMonitor
from keras_lime.tensorboard.logging.log import LimeLog
from keras_lime.training.arguments import check_arguments, check_epoch
from keras_lime.training.boxes_file import BOXES_FILE, BoxesFile
from keras_lime.training.explained_model import check_model, explained_model
from keras_lime.training.failures import Failure, Failures
from keras_lime.training.journal import Journal
from keras_lime.training.metrics import logs_of
from keras_lime.training.nearest_images import NearestImages
from keras_lime.training.outcome import EpochOutcome, Material, observe
from keras_lime.training.processes import is_first_process
from keras_lime.training.progress import Progress
from keras_lime.training.sanity import compare_accuracy, introduce
from keras_lime.training.schedule import Epochs, PictureSchedule, check_epochs, is_chosen, planned_epochs
from keras_lime.training.session import LogDir, Session

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

    With labels the shortcut test is made too, on all `probes.tested`, with their object masks or boxes or else with
    estimated outlines: each object is pasted on the backgrounds of four probes
    of other classes and of four of its own. `lime_reliance` in `logs` is the share of the predictions that follow the
    class of the background, `lime_swap_flip` the share that change on those of other classes (for `EarlyStopping`,
    `mode="min"`). If the reliance is above `shortcut_threshold` for `patience` explained epochs in a row, and there are
    30 probes at least, a warning says so.
    Epochs count once the training accuracy in `logs` is at least 0.5 (for two classes 0.65). Without masks, corners and
    borders are hidden in search of watermarks too.

    Args:
        probes: the images to follow, a `ProbeSet`.
        log_dir: folder of the run, the same as the `TensorBoard` callback's, or an address such as `"gs://bucket/run1"`
            (`pip install 'keras-lime[remote]'`); or a function without arguments that gives it at the start of each
            training. A training that finds another one's records there writes to a run of its
            own, `lime-2`; one that resumes it (`initial_epoch`) continues them. A second `fit` with the same callback
            goes on counting epochs where the first ended.
        name: name of the folder in `log_dir` and prefix of the keys in `logs`; two callbacks of one `fit` need two
            names. Defaults to `"lime"`.
        epochs: which epochs are explained: every n-th, a set of epochs counted from 0, or a function from the epoch to
            a bool. Defaults to `1`, every epoch.
        max_images: probes whose overlay is shown in TensorBoard's own Images tab, at no more than 10 epochs spread over
            the run. Defaults to `8`.
        verbose: 0 is silent, 1 shows a progress bar, 2 prints a line. Defaults to `"auto"`, as `fit` has it.
        shortcut_threshold: share of the predictions that may follow the class of the background, 0..1; `None` makes no
            shortcut tests. Defaults to `0.1`.
        patience: explained epochs in a row above the threshold that make an alarm. Defaults to `2`.
        on_alarm: called with the `Verdict` when an alarm begins; its `message` says what was found. Defaults to `None`.
        stop_training: end the training when an alarm begins. Defaults to `False`.
        model: what is explained, if it is not the model in training: another Keras model, such as the student of a
            distiller; a function from images to scores; or a function from the model in training to one of these, such
            as `lambda model: model.student`. For models without a `call`, PyTorch modules that take their channels
            first, and whatever else `explain()` needs a function for. Defaults to `None`.
        cross_check: compare the weights with `integrated_gradients`, 16 passes a probe. Defaults to `False`.
        carry_over: from the second explained epoch on, score half of `num_samples` a probe and estimate the rest from
            the answers of earlier epochs; where the model has moved too far, all are scored. The log says which.
            Defaults to `False`, every epoch is explained by itself.
        neighbours: training data, what `fit` takes and what can be read again. At ten epochs at most, spread over the
            run, each of the first 60 probes is shown with five of the first 2,000 training images: those nearest by
            the cosine of the features before the model's last layer. Defaults to `None`, none.
        on_error: `"warn"` warns once and lets training go on when an explanation fails, `"raise"` raises. Defaults to
            `"warn"`.
        **settings: see `keras_lime.Settings`; `num_samples` defaults to 256 here.

    Raises:
        ValueError: for bad arguments here, and at the start of training for probes that the model does not take.
        TypeError: for an unknown setting.
        OSError: at the start of training, if `log_dir` cannot be written.

    Example:
        >>> probes = ProbeSet.from_dataset(val_ds, num_probes=20)
        >>> model.fit(train_ds, epochs=20, callbacks=[LimeCallback(probes, "logs/run1")])
    """

    def __init__(
        self,
        probes: ProbeSet,
        log_dir: LogDir,
        *,
        name: str = "lime",
        epochs: Epochs = 1,
        max_images: int = 8,
        verbose: Literal["auto", 0, 1, 2] = "auto",
        shortcut_threshold: float | None = RELIANCE_THRESHOLD,
        patience: int = 2,
        on_alarm: Callable[[Verdict], Any] | None = None,
        stop_training: bool = False,
        model: Any = None,
        cross_check: bool = False,
        carry_over: bool = False,
        neighbours: Any = None,
        on_error: Literal["warn", "raise"] = "warn",
        **settings: Unpack[SettingsDict],
    ) -> None:
        super().__init__()
        self._settings = make_settings(settings, class_names=getattr(probes, "class_names", None), num_samples=256)
        check_arguments(probes, log_dir, name, max_images, verbose, on_alarm, on_error)
        check_epochs(epochs)
        if carry_over:
            check_carry_over(self._settings)
        check_model(model)
        self.probes = probes
        self._inputs = as_other_inputs(probes.inputs, len(probes))
        self._session = Session(log_dir, name)
        self.name = name
        self._given_model = model
        self._epochs, self._max_images, self._verbose, self._on_error = epochs, max_images, verbose, on_error
        self._subjects = probes.subjects()
        self._on_alarm, self._stop_training = on_alarm, stop_training
        self._cross_check = CrossCheck() if cross_check else None
        self._carries_over = carry_over
        self._nearest: NearestImages | None = None
        if neighbours is not None:
            self._nearest = NearestImages(neighbours, probes.images.shape[1:], probes.class_names)
        self._monitor: ShortcutMonitor | None = None
        if shortcut_threshold is not None:
            tested = probes.tested
            self._monitor = ShortcutMonitor(
                tested.images,
                tested.labels,
                tested.masks,
                outlines=tested.outlines,
                class_names=probes.class_names,
                display_fn=self._settings.display_fn,
                inputs=as_other_inputs(tested.inputs, len(tested)),
                names=tested.names,
                threshold=shortcut_threshold,
                patience=patience,
                seed=self._settings.seed,
            )
        self._object_chance = None if probes.masks is None else float(probes.masks.mean())
        self._plans: list[Plan] | None = None
        self._journal: Journal | None = None
        self._scorer: Any = None
        self._agreement = ""
        self._reset()

    def _reset(self) -> None:
        self._boxes_file = BoxesFile()
        self._former_metrics: dict[str, float] = {}
        self._first_epoch = True
        self._carry_over = CarryOver(self._settings) if self._carries_over else None
        self._epoch_began: float | None = None
        self._metrics: dict[str, float] = {}
        self._failures = Failures(self._on_error)
        self._compared = False
        if self._monitor is not None:
            self._monitor.reset()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks model and probes and makes the plans."""
        self._close()
        # Keras hands one `params` dict to all callbacks of a fit: the place to see another one of the same name. A
        # `CallbackList` of a training loop of one's own may have none.
        claimed = {} if self.params is None else self.params.setdefault("keras_lime", {})
        if claimed.setdefault(self.name, self) is not self:
            raise ValueError(
                f"`name` must be unique among the LimeCallbacks of one fit. Received: name={self.name!r} twice. "
                'Give the second one a name of its own, such as name="lime_train".'
            )
        self._reset()
        self._prepare(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before the first batch opens the event file, and spreads the pictures over the epochs to come."""
        self._epoch_began = time.perf_counter()
        if not self._first_epoch or self._journal is not None:
            return
        self._open(epoch)
        with self._failures.guard(Failure.CHOOSE, epoch):
            planned = planned_epochs(self._epochs, epoch, (self.params or {}).get("epochs"))
            if self._journal is not None:
                self._journal.schedule = PictureSchedule(planned, self._session.offset)
        if self._verbosity():
            print(self._introduction())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Explains the probes if the epoch is chosen, and puts this callback's keys in `logs`."""
        chosen = True
        if not self._first_epoch:
            with self._failures.guard(Failure.CHOOSE, epoch):
                chosen = is_chosen(self._epochs, epoch)
        self._first_epoch = False
        if chosen:
            if self._given_model is not None:
                release_weights(self.model)
            self._explain(epoch + self._session.offset, self._verbosity(), logs)
        if logs is not None:
            # Keys that were there stay, whatever tests the boxes of a file have brought.
            logs.update({**self._former_metrics, **(self._metrics or self._logs_of(None))})
        self._failures.raise_pending()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the last explained epoch's pictures and closes the event file."""
        self._close()
        self._failures.raise_pending()

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
        epoch = check_epoch(epoch)
        self._prepare(model)
        if self._journal is None:
            self._open(epoch)
        self._failures.mode = "raise"
        outcome = self._explain(epoch + self._session.offset, 0, logs)
        self._failures.raise_pending()
        return [] if outcome is None else list(outcome.explanations)

    def close(self) -> None:
        """Ends a session of `explain()` calls: writes the last pictures and closes the event file."""
        self._close()
        self._failures.raise_pending()

    def _prepare(self, model: Any) -> None:
        """Builds the model's scorer and, at the first call, the plans."""
        settings = self._settings
        model = explained_model(self._given_model, model, self.probes.images)
        self._scorer = make_scorer(
            model,
            self.probes.images[0].shape,
            output=settings.output,
            head=settings.head,
            batch_size=settings.batch_size,
            inputs=self._inputs,
            image_input=self.probes.image_input,
        )
        check_classes(self._scorer, self._subjects, self.probes.class_names)
        self._agreement = check_agreement(model, self._scorer, self.probes.images, self._inputs)
        if self._cross_check is not None:
            self._cross_check.follow(model)
        if self._nearest is not None:
            self._nearest.follow(model)
        if self._plans is None:
            self._plans = [plan.kept() for plan in make_plans(list(self.probes.images), settings, self._inputs)]
        if self._monitor is not None:
            self._monitor.prepare()

    @property
    def directory(self) -> Path | None:
        """Folder of the run: `<log_dir>/<name>`, or `<name>-2` beside it; None before a function has given it."""
        return self._session.directory

    def _open(self, epoch: int) -> None:
        writes = is_first_process()
        directory = self._session.begin(epoch, writes)
        self._failures.folder = directory
        if writes:
            shortcut = None if self._monitor is None else self._monitor.describe()
            names, settings = self.probes.class_names, self._settings.describe()
            with writing("log_dir", directory):
                log = LimeLog(
                    directory, self.name, names, settings, shortcut, self._session.fits, self._session.written
                )
            self._journal = Journal(
                log,
                self._failures,
                self._max_images,
                nearest=self._nearest,
                trained=self.model,
                display_fn=self._settings.display_fn,
            )

    def _introduction(self) -> str:
        tested = "" if self._monitor is None else self._monitor.tested
        about = f"{self.name}: {introduce(self.probes, self._agreement)}."
        hints = self.probes.hints() if self._monitor is not None else []
        return " ".join(filter(None, [about, tested, self._costs, *hints, self._session.remark]))

    @property
    def _costs(self) -> str:
        """What an explained epoch takes, as a sentence."""
        rounds = 1 if self._settings.second_baseline is None else 2
        passes = rounds * sum(len(plan.neighborhood.masks) for plan in self._plans or [])
        passes += 0 if self._monitor is None else self._monitor.passes(len(self.probes))
        fewer = self._carries_over or self._settings.num_samples == "auto"
        most = "at most about " if fewer else "about "
        return f"An explained epoch takes {most}{count_of(passes, 'forward pass', 'forward passes')}."

    def _explain(self, epoch: int, verbosity: int, logs: Mapping[str, Any] | None) -> EpochOutcome | None:
        """Observes an epoch and lets everything follow that depends on it; nothing waits for another."""
        if self._journal is not None:
            with self._failures.guard(Failure.BOXES, epoch):
                self._take_boxes(self._journal.log, verbosity)
        progress = Progress(verbosity, len(self.probes), self.name)
        began = time.perf_counter()
        outcome: EpochOutcome | None = None
        with self._failures.guard(Failure.EXPLAIN, epoch):
            outcome = observe(
                epoch,
                self._material(),
                self._scorer,
                self._monitor,
                self._cross_check,
                logs,
                progress=progress.update,
                guard=self._failures.guard,
            )
        if outcome is None:
            return None
        if self._epoch_began is not None:
            now = time.perf_counter()
            outcome = replace(outcome, epoch_share=(now - began) / (now - self._epoch_began))
        self._metrics = self._logs_of(outcome)
        self._session.explained(epoch)
        if outcome.alarm_began and outcome.tests is not None:
            self._raise_alarm(epoch, outcome.tests.verdict)
        with self._failures.guard(Failure.PROGRESS, epoch):
            progress.done(self._metrics, outcome.epoch_share)
        if not self._compared:
            with self._failures.guard(Failure.COMPARE, epoch):
                self._compared = compare_accuracy(outcome, logs)
        if self._journal is not None:
            self._journal.write(outcome, self._plans or [], self._subjects, self.probes)
        return outcome

    def _take_boxes(self, log: LimeLog, verbosity: int) -> None:
        """Takes up boxes that were laid into the run's folder since the last explained epoch."""
        directory = self.directory
        probes = None if directory is None else self._boxes_file.take(directory, self.probes)
        if probes is None:
            return
        self._former_metrics = self._metrics or self._logs_of(None)
        self.probes, self._subjects = probes, probes.subjects()
        self._object_chance = None if probes.masks is None else float(probes.masks.mean())
        shortcut = None
        if self._monitor is not None:
            self._monitor = self._monitor.with_masks(probes.tested.masks, probes.tested.outlines)
            shortcut = self._monitor.describe()
        log.begin_anew(shortcut)
        if verbosity:
            tested = "" if self._monitor is None else self._monitor.tested
            print(f"\n{self.name}: objects are those of {directory}/{BOXES_FILE} from here on. {tested}".rstrip())

    def _material(self) -> Material:
        plans, names = self._plans or [], self.probes.class_names
        return Material(plans, self._subjects, self._settings, names, self.probes.labels, self._carry_over)

    def _raise_alarm(self, epoch: int, verdict: Verdict) -> None:
        """Stops first, then calls the hook, then warns: none of them can keep another from happening."""
        if self._stop_training:
            with self._failures.guard(Failure.STOP, epoch):
                if self.model is not None:
                    self.model.stop_training = True
        if self._on_alarm is not None:
            with self._failures.guard(Failure.HOOK, epoch):
                self._on_alarm(verdict)
        with self._failures.guard(Failure.HOOK, epoch):
            warn(f"Shortcut alarm at epoch {epoch}. {verdict.message}")

    def _close(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
        self._session.end()
        with self._failures.guard(Failure.CLOSE):
            self._failures.summarise()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A callback for another training, as tuners make them: probes and plans are shared, the open log is not."""
        copied = self.__class__.__new__(self.__class__)
        copied.__dict__.update(self.__dict__)
        copied._forget()
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: a callback for another training, whose plans are made anew."""
        copied = deepcopy(self)
        copied._plans = None
        return {name: value for name, value in vars(copied).items() if name != "_inputs"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._inputs = as_other_inputs(self.probes.inputs, len(self.probes))

    def _forget(self) -> None:
        """Becomes a callback that has seen no training."""
        self.set_model(None)
        self.set_params({})
        self._journal, self._scorer = None, None
        self._session = Session(self._session.log_dir, self.name)
        self._cross_check = None if self._cross_check is None else CrossCheck()
        self._nearest = None if self._nearest is None else self._nearest.fresh()
        self._monitor = None if self._monitor is None else self._monitor.fresh()
        self._reset()

    def _logs_of(self, outcome: EpochOutcome | None) -> dict[str, float]:
        monitored = {} if self._monitor is None else self._monitor.monitored
        return logs_of(outcome, self.name, self._object_chance, monitored)

    def _verbosity(self) -> int:
        verbose = (self.params or {}).get("verbose", 0) if self._verbose == "auto" else self._verbose
        return 1 if verbose == "auto" else int(verbose)
