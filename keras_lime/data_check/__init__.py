"""What a data set gives away about its classes before any model is trained. No model, no Keras."""

__all__: list[str] = []
