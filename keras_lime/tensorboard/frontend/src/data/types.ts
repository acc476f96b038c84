// What the plugin's routes answer, as the page holds it. Types only.
//
// s steps, T target slots, d superpixels, k classes. NaN means "not measured"; -1 in `targets` or `predicted`, "none".

export interface ProbeInfo {
  readonly id: string;
  readonly name: string;
  readonly label: number | null;
  readonly height: number;
  readonly width: number;
  /** Share of the picture that the object covers, or null without a mask. */
  readonly chance: number | null;
}

export interface RunManifest {
  readonly probes: readonly ProbeInfo[];
  readonly class_names: readonly string[] | null;
  readonly output: string | null;
  readonly n_outputs: number | null;
  readonly created: string | null;
}

export interface RunInfo {
  readonly run: string;
  readonly manifest: RunManifest | null;
  readonly notices: readonly string[];
  /** Changes when the run has grown. */
  readonly steps_hint: number | null;
}

export interface Manifest {
  readonly runs: readonly RunInfo[];
  readonly notices: readonly string[];
}

/** Measures that exist overall, (s,), and per class, (s × k) row by row. */
export const MEASURES = ["object_share", "r2", "probability", "accuracy"] as const;
export type Measure = (typeof MEASURES)[number];

export interface Summary {
  readonly steps: readonly number[];
  readonly wallTimes: readonly number[];
  readonly classIds: readonly number[];
  readonly overall: Readonly<Record<Measure, Float32Array>>;
  readonly perClass: Readonly<Record<Measure, Float32Array>>;
  /** Object share that chance would give. */
  readonly chance: Float32Array;
  readonly classChance: Float32Array;
}

export interface Series {
  readonly steps: readonly number[];
  /** T: most targets explained at one step. */
  readonly slots: number;
  /** d: superpixels. */
  readonly segments: number;
  readonly targets: Int32Array; // (s, T)
  readonly coef: Float32Array; // (s, T, d)
  readonly stderr: Float32Array | null; // (s, T, d)
  readonly r2: Float32Array; // (s, T)
  readonly prediction: Float32Array; // (s, T)
  readonly objectShare: Float32Array | null; // (s, T)
  readonly predicted: Int32Array; // (s,)
  readonly predictedValue: Float32Array; // (s,)
  /** Largest finite |weight| over all steps and targets; 1 where there is none. */
  readonly scale: number;
  readonly notices: readonly string[];
}

export interface Segments {
  readonly height: number;
  readonly width: number;
  readonly labels: Uint16Array; // (h, w)
  readonly objectMask: Uint8Array | null; // (h, w)
  readonly objectFraction: Float32Array | null; // (d,)
}

/** RGBA bytes of a probe's picture. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly rgba: Uint8ClampedArray;
}
