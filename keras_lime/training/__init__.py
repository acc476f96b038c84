"""What runs inside `fit`: the callback, which epochs it explains, and how it reports progress."""

__all__: list[str] = []
