"""The category of every warning this package gives, so that users can filter them as one. Imports nothing."""

__all__ = ["LimeWarning"]


class LimeWarning(UserWarning):
    """An explanation that was made, but not as asked or not to be trusted; the text says what to do."""
