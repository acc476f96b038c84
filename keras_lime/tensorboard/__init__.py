"""Writing explanations to TensorBoard's event files, and showing them there."""
