"""The public verbs, thin: each checks what it is given, calls the packages below and returns a result."""

__all__: list[str] = []
