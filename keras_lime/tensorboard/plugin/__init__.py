"""TensorBoard's process: reads the records and serves the page. Never Keras or TensorFlow."""

__all__: list[str] = []
