"""Where the images of an audit come from: folders, arrays, tables, streams."""

__all__: list[str] = []
