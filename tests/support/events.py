"""Event files read straight from disk, with TensorBoard's own file loader and its rule for restarted sessions."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2

from keras_lime.tensorboard.records import Record, decode

__all__ = ["Events", "read_events"]


class Events:
    """The values of one run by tag and step; a session that restarts at a step takes the later ones away."""

    def __init__(self, run: Path) -> None:
        self.session_starts: list[int] = []
        self._plugins: dict[str, str] = {}
        self._values: dict[str, dict[int, Any]] = {}
        for file in sorted(run.iterdir()):
            for raw in RawEventFileLoader(str(file)).Load():
                self._take(event_pb2.Event.FromString(raw))

    def _take(self, event: Any) -> None:
        if event.HasField("session_log"):
            self.session_starts.append(event.step)
            for steps in self._values.values():
                for step in [step for step in steps if step >= event.step]:
                    del steps[step]
        for value in event.summary.value:
            if value.HasField("metadata"):
                self._plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
            self._values.setdefault(value.tag, {})[event.step] = value.tensor

    def tags(self, plugin: str) -> list[str]:
        """Tags of one plugin."""
        return [tag for tag, name in self._plugins.items() if name == plugin]

    def records(self, tag: str) -> dict[int, Record]:
        """Decoded records by step."""
        return {step: decode(list(tensor.string_val)) for step, tensor in self._values.get(tag, {}).items()}

    def scalars(self, tag: str) -> dict[int, float]:
        """Numbers by step."""
        return {step: tensor.float_val[0] for step, tensor in self._values[tag].items()}

    def texts(self, tag: str) -> dict[int, str]:
        """Markdown by step."""
        return {step: tensor.string_val[0].decode() for step, tensor in self._values[tag].items()}

    def images(self, tag: str) -> dict[int, Image.Image]:
        """Pictures by step."""
        return {step: Image.open(BytesIO(tensor.string_val[2])) for step, tensor in self._values[tag].items()}


def read_events(run: Path) -> Events:
    """Reads all event files of a run's folder."""
    return Events(run)
