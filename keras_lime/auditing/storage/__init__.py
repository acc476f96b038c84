"""What an audit leaves on disk: its columns, its shards, its images."""

__all__: list[str] = []
