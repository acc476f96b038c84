"""The explainer itself: numpy, scikit-image and scikit-learn; no Keras, no TensorBoard, no files."""
