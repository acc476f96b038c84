"""Why a folder gives no report. Imports nothing."""

__all__ = ["SourceError"]


class SourceError(ValueError):
    """A folder that holds nothing to report, as against one whose files are damaged."""
