"""The callback's process: what a training leaves in its event file."""

__all__: list[str] = []
