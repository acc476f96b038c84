// Made from keras_lime/tensorboard/schema.py by `python -m keras_lime.tensorboard.typescript`. Do not edit.

export type Json = Readonly<Record<string, unknown>>;

/** How one array of a container is decoded. */
export interface ArrayField<Key extends string> {
  readonly key: Key;
  readonly name: string;
  readonly dtype: "float32" | "int32" | "uint16" | "uint8";
  /** Behind the steps. */
  readonly axes: readonly string[];
  readonly missing: number;
  /** null where no step has it. */
  readonly optional: boolean;
}

/** How one value of a header is read. */
export type HeaderType = "text" | "number" | "flag" | "texts" | "numbers" | "object" | "objects";

/** What is doubtful about one weight, as bits of `flags`. */
export const SEGMENT_DIAGNOSTIC = {
  signFlips: 1,
  blind: 2,
  contradicted: 4,
} as const;

/** What is doubtful about an explanation, as bits of `caveats`. */
export const TARGET_DIAGNOSTIC = {
  poorFit: 1,
  fewSamples: 2,
  saturated: 4,
  clipped: 8,
  blind: 16,
  signFlips: 32,
  baselines: 64,
  unsure: 128,
  still: 256,
  small: 512,
  shrunk: 1024,
  segments: 2048,
} as const;

/** General sentences by bit, for logs that bring none of their own. */
export const SEGMENT_SENTENCES: ReadonlyMap<number, string> = new Map([
  [1, "The sign of this weight depends on the kernel width."],
  [2, "Cannot be judged: hidden, this superpixel looks as it does shown. Choose another baseline."],
  [4, "With the second baseline this weight has the other sign."],
]);

/** General sentences by bit, for logs that bring none of their own. */
export const TARGET_SENTENCES: ReadonlyMap<number, string> = new Map([
  [1, "R² is below 0.2: a linear surrogate does not describe the model near this image. Do not read the weights as its reasons."],
  [2, "The kernel leaves few effective samples for so many superpixels. Raise `num_samples` or `kernel_width`, or lower `n_segments`."],
  [4, "The probability is saturated: it hides differences that the log-odds still show. Pass scale=\"logit\"."],
  [8, "The model's probabilities are saturated and its logits are not available: the log-odds only show the limit of its precision. Give the model a linear last layer, and pass output=\"logits\"."],
  [16, "Some superpixels look the same hidden as shown and cannot be judged. Choose another `baseline`."],
  [32, "The sign of some weights depends on the kernel width. Do not rely on these superpixels."],
  [64, "The second baseline ranks the superpixels differently: the explanation depends on the baseline. Rely on what both agree on."],
  [128, "`max_samples` was reached before the weights were as sure as `tolerance` asks for. Raise `max_samples` or `tolerance`, or lower `n_segments`."],
  [256, "The scores hardly move, whatever is hidden: the weights are noise around zero. Check that the model is trained and gets the range of values that it expects. With frozen layers, batch normalization may still lag behind: look at later epochs."],
  [512, "The scores hardly move, whatever is hidden: the weights are small, but determined. Look at their size before their colours."],
  [1024, "The ridge penalty shrinks the weights by more than a tenth. Raise `num_samples` or `kernel_width`, or lower `n_segments`."],
  [2048, "The number of superpixels is far from `n_segments`. Pass segmentation=\"grid\" or your own label map; a small image holds only a few superpixels."],
]);

/** Corners and borders, in the order of the axis `regions`. */
export const REGIONS = [
  "top left corner",
  "top right corner",
  "bottom left corner",
  "bottom right corner",
  "top border",
  "bottom border",
  "left border",
  "right border",
] as const;

export interface SeriesFields {
  /** The predicted class; null for a regression. */
  readonly predicted: Int32Array; // (steps)
  /** Its probability; of a regression the output. */
  readonly predictedValue: Float32Array; // (steps)
  /** Perturbed images that were scored. */
  readonly numSamples: Float32Array | null; // (steps)
  /** Its cluster among the heatmaps of its class. */
  readonly group: Int32Array | null; // (steps)
  /** Index of the output. */
  readonly targets: Int32Array; // (steps, targets)
  /** Weight of each superpixel. */
  readonly coef: Float32Array; // (steps, targets, segments)
  /** Standard error of each weight. */
  readonly stderr: Float32Array | null; // (steps, targets, segments)
  /** What is doubtful about a weight, as bits. */
  readonly flags: Uint8Array | null; // (steps, targets, segments)
  /** What is doubtful about it all, as bits. */
  readonly caveats: Uint16Array | null; // (steps, targets)
  /** Intercept of the surrogate. */
  readonly intercept: Float32Array; // (steps, targets)
  /** R² of the surrogate. */
  readonly r2: Float32Array; // (steps, targets)
  /** What the surrogate predicts for the image. */
  readonly localPrediction: Float32Array; // (steps, targets)
  /** Probability; of a regression the output. */
  readonly prediction: Float32Array; // (steps, targets)
  /** Share of the positive weight on the object. */
  readonly objectShare: Float32Array | null; // (steps, targets)
  /** Rank agreement with the second baseline. */
  readonly agreement: Float32Array | null; // (steps, targets)
  /** Rank agreement with integrated gradients. */
  readonly gradientAgreement: Float32Array | null; // (steps, targets)
  /** Weights on the log-odds. */
  readonly coefLogit: Float32Array | null; // (steps, targets, segments)
  /** Their standard errors. */
  readonly stderrLogit: Float32Array | null; // (steps, targets, segments)
  /** R² on the log-odds. */
  readonly r2Logit: Float32Array | null; // (steps, targets)
}

export const SERIES_FIELDS: readonly ArrayField<keyof SeriesFields>[] = [
  { key: "predicted", name: "predicted", dtype: "int32", axes: [], missing: -1, optional: false },
  { key: "predictedValue", name: "predicted_value", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "numSamples", name: "num_samples", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "group", name: "group", dtype: "int32", axes: [], missing: -1, optional: true },
  { key: "targets", name: "targets", dtype: "int32", axes: ["targets"], missing: -1, optional: false },
  { key: "coef", name: "coef", dtype: "float32", axes: ["targets", "segments"], missing: NaN, optional: false },
  { key: "stderr", name: "stderr", dtype: "float32", axes: ["targets", "segments"], missing: NaN, optional: true },
  { key: "flags", name: "flags", dtype: "uint8", axes: ["targets", "segments"], missing: 0, optional: true },
  { key: "caveats", name: "caveats", dtype: "uint16", axes: ["targets"], missing: 0, optional: true },
  { key: "intercept", name: "intercept", dtype: "float32", axes: ["targets"], missing: NaN, optional: false },
  { key: "r2", name: "r2", dtype: "float32", axes: ["targets"], missing: NaN, optional: false },
  { key: "localPrediction", name: "local_prediction", dtype: "float32", axes: ["targets"], missing: NaN, optional: false },
  { key: "prediction", name: "prediction", dtype: "float32", axes: ["targets"], missing: NaN, optional: false },
  { key: "objectShare", name: "object_share", dtype: "float32", axes: ["targets"], missing: NaN, optional: true },
  { key: "agreement", name: "agreement", dtype: "float32", axes: ["targets"], missing: NaN, optional: true },
  { key: "gradientAgreement", name: "gradient_agreement", dtype: "float32", axes: ["targets"], missing: NaN, optional: true },
  { key: "coefLogit", name: "coef_logit", dtype: "float32", axes: ["targets", "segments"], missing: NaN, optional: true },
  { key: "stderrLogit", name: "stderr_logit", dtype: "float32", axes: ["targets", "segments"], missing: NaN, optional: true },
  { key: "r2Logit", name: "r2_logit", dtype: "float32", axes: ["targets"], missing: NaN, optional: true },
];

export interface SummaryFields {
  /** The true classes that probes have. */
  readonly classIds: Int32Array; // (steps, classes)
  /** Share of the positive weight on the object. */
  readonly objectShare: Float32Array; // (steps)
  /** The same by class: Share of the positive weight on the object. */
  readonly classObjectShare: Float32Array; // (steps, classes)
  /** The share that chance would give. */
  readonly objectChance: Float32Array; // (steps)
  /** The same by class: The share that chance would give. */
  readonly classChance: Float32Array; // (steps, classes)
  /** R² of the surrogates. */
  readonly r2: Float32Array; // (steps)
  /** The same by class: R² of the surrogates. */
  readonly classR2: Float32Array; // (steps, classes)
  /** Probability of the first target. */
  readonly probability: Float32Array; // (steps)
  /** The same by class: Probability of the first target. */
  readonly classProbability: Float32Array; // (steps, classes)
  /** Share of the probes that are predicted right. */
  readonly accuracy: Float32Array; // (steps)
  /** The same by class: Share of the probes that are predicted right. */
  readonly classAccuracy: Float32Array; // (steps, classes)
  /** Standard error of the object share over the probes. */
  readonly objectShareStderr: Float32Array | null; // (steps)
  /** The same by class: Standard error of the object share over the probes. */
  readonly classObjectShareStderr: Float32Array | null; // (steps, classes)
  /** Share of predictions that change with the background. */
  readonly swapFlip: Float32Array | null; // (steps)
  /** The same by class: Share of predictions that change with the background. */
  readonly classSwapFlip: Float32Array | null; // (steps, classes)
  /** Standard error of that share. */
  readonly swapFlipStderr: Float32Array | null; // (steps)
  /** The same by class: Standard error of that share. */
  readonly classSwapFlipStderr: Float32Array | null; // (steps, classes)
  /** Share of predictions that change on other backgrounds of the same class. */
  readonly sameFlip: Float32Array | null; // (steps)
  /** Share of predictions that follow the class of the background. */
  readonly reliance: Float32Array | null; // (steps)
  /** Standard error of that share. */
  readonly relianceStderr: Float32Array | null; // (steps)
  /** Certainty that the background alone keeps. */
  readonly pBackground: Float32Array | null; // (steps)
  /** The same by class: Certainty that the background alone keeps. */
  readonly classPBackground: Float32Array | null; // (steps, classes)
  /** Certainty that the object alone keeps. */
  readonly pObject: Float32Array | null; // (steps)
  /** The same by class: Certainty that the object alone keeps. */
  readonly classPObject: Float32Array | null; // (steps, classes)
  /** Probability of a class by guessing. */
  readonly swapChance: Float32Array | null; // (steps)
  /** Certainty that the outer frame alone keeps. */
  readonly pFrame: Float32Array | null; // (steps)
  /** 1 where the measurement counts. */
  readonly shortcutCounted: Float32Array | null; // (steps)
  /** 1 where an alarm is on. */
  readonly shortcutAlarm: Float32Array | null; // (steps)
  /** Training accuracy. */
  readonly trainAccuracy: Float32Array | null; // (steps)
  /** Accuracy from which on it counts. */
  readonly accuracyNeeded: Float32Array | null; // (steps)
  /** Fall of the probability when hidden. */
  readonly occlusionDrop: Float32Array | null; // (steps, regions)
  /** Standard error of that. */
  readonly occlusionDropStderr: Float32Array | null; // (steps, regions)
  /** The fall by class. */
  readonly classOcclusionDrop: Float32Array | null; // (steps, classes, regions)
  /** About how many forward passes the epoch took. */
  readonly passes: Float32Array | null; // (steps)
  /** Share of the epoch's time that they took. */
  readonly epochShare: Float32Array | null; // (steps)
  /** Predicted class of each. */
  readonly probePredicted: Int32Array | null; // (steps, probes)
  /** Its probability. */
  readonly probeValue: Float32Array | null; // (steps, probes)
  /** Object share of each. */
  readonly probeShare: Float32Array | null; // (steps, probes)
  /** Largest weight of each. */
  readonly probeWeight: Float32Array | null; // (steps, probes)
  /** R² of each. */
  readonly probeR2: Float32Array | null; // (steps, probes)
}

export const SUMMARY_FIELDS: readonly ArrayField<keyof SummaryFields>[] = [
  { key: "classIds", name: "class_ids", dtype: "int32", axes: ["classes"], missing: -1, optional: false },
  { key: "objectShare", name: "object_share", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "classObjectShare", name: "class_object_share", dtype: "float32", axes: ["classes"], missing: NaN, optional: false },
  { key: "objectChance", name: "object_chance", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "classChance", name: "class_chance", dtype: "float32", axes: ["classes"], missing: NaN, optional: false },
  { key: "r2", name: "r2", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "classR2", name: "class_r2", dtype: "float32", axes: ["classes"], missing: NaN, optional: false },
  { key: "probability", name: "probability", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "classProbability", name: "class_probability", dtype: "float32", axes: ["classes"], missing: NaN, optional: false },
  { key: "accuracy", name: "accuracy", dtype: "float32", axes: [], missing: NaN, optional: false },
  { key: "classAccuracy", name: "class_accuracy", dtype: "float32", axes: ["classes"], missing: NaN, optional: false },
  { key: "objectShareStderr", name: "object_share_stderr", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "classObjectShareStderr", name: "class_object_share_stderr", dtype: "float32", axes: ["classes"], missing: NaN, optional: true },
  { key: "swapFlip", name: "swap_flip", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "classSwapFlip", name: "class_swap_flip", dtype: "float32", axes: ["classes"], missing: NaN, optional: true },
  { key: "swapFlipStderr", name: "swap_flip_stderr", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "classSwapFlipStderr", name: "class_swap_flip_stderr", dtype: "float32", axes: ["classes"], missing: NaN, optional: true },
  { key: "sameFlip", name: "same_flip", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "reliance", name: "reliance", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "relianceStderr", name: "reliance_stderr", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "pBackground", name: "p_background", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "classPBackground", name: "class_p_background", dtype: "float32", axes: ["classes"], missing: NaN, optional: true },
  { key: "pObject", name: "p_object", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "classPObject", name: "class_p_object", dtype: "float32", axes: ["classes"], missing: NaN, optional: true },
  { key: "swapChance", name: "swap_chance", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "pFrame", name: "p_frame", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "shortcutCounted", name: "shortcut_counted", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "shortcutAlarm", name: "shortcut_alarm", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "trainAccuracy", name: "train_accuracy", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "accuracyNeeded", name: "accuracy_needed", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "occlusionDrop", name: "occlusion_drop", dtype: "float32", axes: ["regions"], missing: NaN, optional: true },
  { key: "occlusionDropStderr", name: "occlusion_drop_stderr", dtype: "float32", axes: ["regions"], missing: NaN, optional: true },
  { key: "classOcclusionDrop", name: "class_occlusion_drop", dtype: "float32", axes: ["classes", "regions"], missing: NaN, optional: true },
  { key: "passes", name: "passes", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "epochShare", name: "epoch_share", dtype: "float32", axes: [], missing: NaN, optional: true },
  { key: "probePredicted", name: "probe_predicted", dtype: "int32", axes: ["probes"], missing: -1, optional: true },
  { key: "probeValue", name: "probe_value", dtype: "float32", axes: ["probes"], missing: NaN, optional: true },
  { key: "probeShare", name: "probe_share", dtype: "float32", axes: ["probes"], missing: NaN, optional: true },
  { key: "probeWeight", name: "probe_weight", dtype: "float32", axes: ["probes"], missing: NaN, optional: true },
  { key: "probeR2", name: "probe_r2", dtype: "float32", axes: ["probes"], missing: NaN, optional: true },
];

export interface ManifestHeader {
  /** Name of the callback. */
  readonly name: string | null;
  /** Version of keras_lime that wrote the session. */
  readonly keras_lime: string | null;
  /** When the session began, ISO 8601 in UTC. */
  readonly created: string | null;
  /** Names of the outputs; null without. */
  readonly class_names: readonly string[] | null;
  /** Meaning of the outputs: softmax, sigmoid, multilabel or regression. */
  readonly output: string | null;
  /** Outputs that can be explained. */
  readonly n_outputs: number | null;
  /** The explainer's settings, see `Settings.describe`. */
  readonly settings: Json | null;
  /** The probes, in order. */
  readonly probes: readonly Json[];
  /** Sentences for the bits of `flags`. */
  readonly flags: Json | null;
  /** Sentences for the bits of `caveats`. */
  readonly caveats: Json | null;
  /** Settings of the shortcut tests; null where off. */
  readonly shortcut: Json | null;
  /** Steps at which the trainings in this run began. */
  readonly fits: readonly number[] | null;
}

export const MANIFEST_HEADER: Readonly<Record<keyof ManifestHeader, HeaderType>> = {
  name: "text",
  keras_lime: "text",
  created: "text",
  class_names: "texts",
  output: "text",
  n_outputs: "number",
  settings: "object",
  probes: "objects",
  flags: "object",
  caveats: "object",
  shortcut: "object",
  fits: "numbers",
};

export interface ManifestProbesHeader {
  /** Hash of the image. */
  readonly id: string | null;
  /** Its name, null without. */
  readonly name: string | null;
  /** Its true class, null without. */
  readonly label: number | null;
  /** Rows of pixels. */
  readonly height: number | null;
  /** Columns of pixels. */
  readonly width: number | null;
  /** Number of its superpixels. */
  readonly n_segments: number | null;
  /** Share of the picture that the object covers. */
  readonly chance: number | null;
}

export const MANIFEST_PROBES_HEADER: Readonly<Record<keyof ManifestProbesHeader, HeaderType>> = {
  id: "text",
  name: "text",
  label: "number",
  height: "number",
  width: "number",
  n_segments: "number",
  chance: "number",
};

export interface SummaryHeader {
  /** Why there are no gradients to compare with. */
  readonly cross_check: string | null;
  /** How the probes were scored, with `carry_over`. */
  readonly carried: string | null;
  /** The decision on the shortcut tests. */
  readonly shortcut: Json | null;
  /** Hash of the probes' ids, in order. */
  readonly probe_set: string | null;
}

export const SUMMARY_HEADER: Readonly<Record<keyof SummaryHeader, HeaderType>> = {
  cross_check: "text",
  carried: "text",
  shortcut: "object",
  probe_set: "text",
};

export interface SummaryShortcutHeader {
  /** Whether an alarm is on. */
  readonly alarm: boolean;
  /** Epoch of its first measurement. */
  readonly began: number | null;
  /** The alarm in words. */
  readonly words: string | null;
  /** The test results that raised it. */
  readonly readings: readonly Json[];
  /** What could not be measured, and why. */
  readonly unmeasured: readonly string[] | null;
  /** Passed, alarm, not tested or cannot say. */
  readonly status: string | null;
  /** Every test's result. */
  readonly tests: readonly Json[];
  /** Blocks off the object that carry a prediction. */
  readonly markers: readonly Json[];
}

export const SUMMARY_SHORTCUT_HEADER: Readonly<Record<keyof SummaryShortcutHeader, HeaderType>> = {
  alarm: "flag",
  began: "number",
  words: "text",
  readings: "objects",
  unmeasured: "texts",
  status: "text",
  tests: "objects",
  markers: "objects",
};

export interface SummaryShortcutTestsHeader {
  /** Name of the test. */
  readonly test: string | null;
  /** What it tests, for people. */
  readonly title: string | null;
  /** Passed, alarm, not tested or cannot say. */
  readonly status: string | null;
  /** Why that. */
  readonly reason: string | null;
  /** What to do about it; may be empty. */
  readonly remedy: string | null;
  /** Its numbers by name. */
  readonly statistics: Json | null;
}

export const SUMMARY_SHORTCUT_TESTS_HEADER: Readonly<Record<keyof SummaryShortcutTestsHeader, HeaderType>> = {
  test: "text",
  title: "text",
  status: "text",
  reason: "text",
  remedy: "text",
  statistics: "object",
};

export interface SummaryShortcutReadingsHeader {
  /** Which test. */
  readonly test: string | null;
  /** What it was made on: a class, a region. */
  readonly subject: string | null;
  /** What it measured. */
  readonly value: number | null;
  /** Its standard error. */
  readonly stderr: number | null;
  /** Value above which it counts. */
  readonly threshold: number | null;
}

export const SUMMARY_SHORTCUT_READINGS_HEADER: Readonly<Record<keyof SummaryShortcutReadingsHeader, HeaderType>> = {
  test: "text",
  subject: "text",
  value: "number",
  stderr: "number",
  threshold: "number",
};

export interface SummaryShortcutMarkersHeader {
  /** Id of the probe. */
  readonly probe: string | null;
  /** Its name, null without. */
  readonly name: string | null;
  /** The class that is predicted for it. */
  readonly label: number | null;
  /** Probability that hangs on the block. */
  readonly strength: number | null;
  /** Top, left, bottom, right in pixels. */
  readonly box: readonly number[] | null;
}

export const SUMMARY_SHORTCUT_MARKERS_HEADER: Readonly<Record<keyof SummaryShortcutMarkersHeader, HeaderType>> = {
  probe: "text",
  name: "text",
  label: "number",
  strength: "number",
  box: "numbers",
};

export interface SwapsHeader {
  /** One entry a picture, in their order. */
  readonly pairs: readonly Json[];
}

export const SWAPS_HEADER: Readonly<Record<keyof SwapsHeader, HeaderType>> = {
  pairs: "objects",
};

export interface SwapsPairsHeader {
  /** Id of the probe whose object it is. */
  readonly probe: string | null;
  /** Id of the probe whose background it is. */
  readonly donor: string | null;
  /** Name of the probe. */
  readonly name: string | null;
  /** True class of the object. */
  readonly label: number | null;
  /** Class predicted for the probe as it is. */
  readonly before: number | null;
  /** Its probability. */
  readonly before_value: number | null;
  /** Class predicted for the swapped picture. */
  readonly after: number | null;
  /** Its probability. */
  readonly after_value: number | null;
}

export const SWAPS_PAIRS_HEADER: Readonly<Record<keyof SwapsPairsHeader, HeaderType>> = {
  probe: "text",
  donor: "text",
  name: "text",
  label: "number",
  before: "number",
  before_value: "number",
  after: "number",
  after_value: "number",
};

export interface NeighboursHeader {
  /** One entry a probe and training image, nearest first. */
  readonly pairs: readonly Json[];
}

export const NEIGHBOURS_HEADER: Readonly<Record<keyof NeighboursHeader, HeaderType>> = {
  pairs: "objects",
};

export interface NeighboursPairsHeader {
  /** Id of the probe. */
  readonly probe: string | null;
  /** Which picture it is. */
  readonly picture: number | null;
  /** True class of the training image; null: unknown. */
  readonly label: number | null;
  /** Cosine of the features, −1 to 1. */
  readonly similarity: number | null;
}

export const NEIGHBOURS_PAIRS_HEADER: Readonly<Record<keyof NeighboursPairsHeader, HeaderType>> = {
  probe: "text",
  picture: "number",
  label: "number",
  similarity: "number",
};
