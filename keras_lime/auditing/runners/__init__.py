"""Who explains the shards of an audit: this process, or workers of Ray."""

__all__: list[str] = []
