"""What those who come from the `lime` package write, and what it is called here. Standard library alone."""

__all__ = ["FROM_LIME"]

FROM_LIME = {
    "top_labels": 'Pass targets="top5" for the five likeliest classes.',
    "labels": "Pass targets=(3, 7) for these classes.",
    "hide_color": "Pass baseline=0 for black, or another colour; the default is lime's own, the mean.",
    "num_features": "Give it to the explanation: get_image_and_mask(label, num_features=5).",
    "segmentation_fn": 'Pass segmentation=function, or the name of a method, such as segmentation="quickshift".',
    "model_regressor": "Pass surrogate=regressor.",
    "random_seed": "Pass seed=0.",
    "random_state": "Pass seed=0.",
    "distance_metric": "The distance between masks is the cosine distance, lime's default.",
    "feature_selection": "All superpixels are used, as lime does for images.",
    "progress_bar": "Leave it out.",
}
"""Keywords of `lime.lime_image.LimeImageExplainer` → what to write instead, a sentence."""
