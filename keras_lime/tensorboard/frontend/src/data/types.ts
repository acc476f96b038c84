// What the plugin's routes answer, as the page holds it. Types only.
//
// s steps, T target slots, d superpixels, k classes. NaN means "not measured"; -1 in `targets` or `predicted`, "none".

import type { ManifestHeader, SeriesFields } from "./schema.ts";

export interface ProbeInfo {
  readonly id: string;
  readonly name: string;
  readonly label: number | null;
  readonly height: number;
  readonly width: number;
  /** Share of the picture that the object covers, or null without a mask. */
  readonly chance: number | null;
}

/** What a session explains: the header of its manifest, see schema.ts, with its parts decoded. */
export interface RunManifest extends Omit<ManifestHeader, "probes" | "flags" | "caveats" | "shortcut"> {
  readonly probes: readonly ProbeInfo[];
  /** What the bits of `flags` and `caveats` in a series mean, as sentences by bit. */
  readonly flags: Texts;
  readonly caveats: Texts;
  /** null where no shortcut tests are made, and in older logs. */
  readonly shortcut: ShortcutSettings | null;
}

export type Texts = ReadonlyMap<number, string>;

export interface ShortcutSettings {
  /** Share of the predictions that may follow the class of the background; NaN in logs that were judged by changes. */
  readonly relianceThreshold: number;
  /** Standard errors above zero that the reliance must lie too. */
  readonly relianceErrors: number;
  /** Share of the predictions that may change. */
  readonly threshold: number;
  /** Measurements in a row above it that make an alarm. */
  readonly patience: number;
  /** Whether the probes allow the background swap. */
  readonly swap: boolean;
  /** Fewer probes raise no alarm. */
  readonly leastProbes: number;
  /** Certainty above which the background alone counts as telling the model something. */
  readonly backgroundThreshold: number;
  /** Fall of the probability above which a hidden corner or border counts. */
  readonly occlusionThreshold: number;
  /** Probes that are swapped, and backgrounds that each gets. */
  readonly swapped: number;
  readonly donors: number;
  /** What cannot be measured, and why. */
  readonly unmeasured: readonly string[];
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

/** Measures that exist overall, (s,), and per class, (s × k) row by row: reliance overall alone. */
export const MEASURES = [
  "reliance",
  "swap_flip",
  "object_share",
  "p_background",
  "p_object",
  "r2",
  "probability",
  "accuracy",
] as const;
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
  /** Standard errors over the probes, of the measures that have them. */
  readonly errors: Readonly<Partial<Record<Measure, Float32Array>>>; // (s,)
  readonly classErrors: Readonly<Partial<Record<Measure, Float32Array>>>; // (s, k)
  readonly shortcut: ShortcutTests;
  /** About how many forward passes explanations and tests took, and their share of the epoch's time. */
  readonly passes: Float32Array; // (s,)
  readonly epochShare: Float32Array; // (s,)
  /** Of each probe, (s × n) row by row, in the order of the manifest; null in older logs. */
  readonly probes: ProbeColumns;
  readonly notices: readonly string[];
}

export interface ProbeColumns {
  readonly predicted: Int32Array | null;
  readonly value: Float32Array | null;
  readonly share: Float32Array | null;
  readonly weight: Float32Array | null;
  readonly r2: Float32Array | null;
}

/** What the shortcut tests found beside the measures. All NaN and empty in logs without them. */
export interface ShortcutTests {
  /** Probability of a class by guessing. */
  readonly guess: Float32Array; // (s,)
  /** 1 where the measurement counts, 0 where training had not got far enough. */
  readonly counted: Float32Array; // (s,)
  readonly trainAccuracy: Float32Array; // (s,)
  /** Training accuracy from which on measurements count. */
  readonly accuracyNeeded: Float32Array; // (s,)
  /** Share of the predictions that change on other backgrounds of the same class. */
  readonly sameFlip: Float32Array; // (s,)
  /** What is left of the predictions' certainty with the outer frame alone. A hint. */
  readonly frame: Float32Array; // (s,)
  /** Fall of the probability when a place is hidden. */
  readonly drops: Float32Array; // (s, 8)
  readonly dropErrors: Float32Array; // (s, 8)
  /** Epochs at which an alarm is on, rising. */
  readonly alarms: readonly Alarm[];
  readonly unmeasured: readonly string[];
  /** The decision at each epoch: "passed", "alarm", "not tested" or "cannot say"; null in older logs. */
  readonly statuses: readonly (string | null)[];
  /** What each test says at each epoch; empty in older logs. */
  readonly tests: readonly (readonly TestStatus[])[];
  /** Why there are no gradients to compare the weights with, where they were asked for. */
  readonly noGradients: string | null;
}

/** What one test says at an epoch; reason and remedy where that is neither passed nor alarm. */
export interface TestStatus {
  readonly test: string;
  readonly title: string;
  readonly status: string;
  readonly reason: string;
  readonly remedy: string;
}

export interface Alarm {
  readonly step: number;
  /** The epoch at which it began. */
  readonly began: number;
  readonly words: string;
  readonly readings: readonly Reading[];
  readonly markers: readonly Marker[];
}

/** A block off the object that carries a prediction. */
export interface Marker {
  readonly probe: string;
  readonly name: string | null;
  /** The class that is predicted for the probe. */
  readonly label: number | null;
  readonly strength: number;
  /** Top, left, bottom, right in pixels. */
  readonly box: readonly number[];
}

/** A number that raised the alarm. */
export interface Reading {
  readonly test: string;
  readonly subject: string;
  readonly value: number;
  readonly stderr: number;
  readonly threshold: number;
}

/** Objects on other backgrounds. */
export interface Swaps {
  /** The epoch they are of; null: there are none yet. */
  readonly step: number | null;
  /** All epochs that have such pictures, rising. */
  readonly steps: readonly number[];
  readonly pairs: readonly SwapPair[];
}

export interface SwapPair {
  readonly probe: string;
  readonly donor: string;
  readonly name: string | null;
  readonly label: number | null;
  readonly before: number | null;
  readonly beforeValue: number;
  readonly after: number | null;
  readonly afterValue: number;
  /** The swapped picture, an address of type `data:`. */
  readonly picture: string;
}

/** Training images nearest to the probes, by the model's last features. */
export interface Neighbours {
  /** The epoch they are of; null: there are none yet. */
  readonly step: number | null;
  /** All epochs that have them, rising. */
  readonly steps: readonly number[];
  readonly byProbe: ReadonlyMap<string, readonly Neighbour[]>;
}

export interface Neighbour {
  readonly label: number | null;
  /** Cosine of the features. */
  readonly similarity: number;
  /** An address of type `data:`. */
  readonly picture: string;
}

/** The fields of the log, see schema.ts; the weights of superpixels that cannot be judged are NaN. */
export interface Series extends SeriesFields {
  readonly steps: readonly number[];
  /** T: most targets explained at one step. */
  readonly slots: number;
  /** d: superpixels. */
  readonly segments: number;
  /** Largest finite |weight| over all steps and targets; 1 where there is none. */
  readonly scale: number;
  /** The same of the weights on the log-odds. */
  readonly logOddsScale: number;
  /** Numbers (s, T) that this page knows by their names alone. */
  readonly further: ReadonlyMap<string, Float32Array>;
  readonly notices: readonly string[];
}

export interface Segments {
  readonly height: number;
  readonly width: number;
  readonly labels: Uint16Array; // (h, w)
  readonly objectMask: Uint8Array | null; // (h, w)
  /** What shortcut tests take for the object where nobody marked it. */
  readonly estimatedMask: Uint8Array | null; // (h, w)
  readonly objectFraction: Float32Array | null; // (d,)
}

/** RGBA bytes of a probe's picture. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly rgba: Uint8ClampedArray;
}
