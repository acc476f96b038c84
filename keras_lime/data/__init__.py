"""Reading what users have: images in files, data sets of every kind, models, class names."""

__all__: list[str] = []
