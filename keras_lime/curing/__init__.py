"""The cure of a shortcut: composites that break it, ways to learn from them, and the receipt of what it changed."""

__all__: list[str] = []
