"""Visual words: superpixels of the whole data set that look alike, and what they count for each class."""

__all__: list[str] = []
