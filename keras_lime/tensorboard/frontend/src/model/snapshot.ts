// One probe at one epoch for one target: the numbers behind a tile. Pure.
import type { ProbeInfo, RunManifest, Series } from "../data/types.ts";
import { TARGET_DIAGNOSTIC } from "../data/schema.ts";
import { strongest } from "./scaleFor.ts";
import type { Basis, Target } from "./view.ts";

export interface Snapshot {
  /** Epoch the numbers are of: the asked one, or the last one before it that was explained. */
  readonly step: number;
  /** Row in the series. */
  readonly at: number;
  readonly predicted: number | null;
  readonly predictedValue: number;
  /** Known when label and prediction are. */
  readonly wrong: boolean | null;
  /** Output ids explained at this epoch. */
  readonly targets: readonly number[];
  /** Group among the heatmaps of its class, or null. */
  readonly group: number | null;
  /** The chosen target, or null when it was not explained at this epoch. */
  readonly shown: Explained | null;
}

export interface Explained {
  readonly slot: number;
  readonly target: number;
  readonly weights: Float32Array;
  /** Whether they are weights on the log-odds, not on the probability. */
  readonly logOdds: boolean;
  /** Whether the log holds both. */
  readonly hasLogOdds: boolean;
  /** Largest weight on the probability: by so much one superpixel moves the prediction. */
  readonly moves: number;
  readonly stderr: Float32Array | null;
  readonly r2: number;
  readonly prediction: number;
  readonly objectShare: number;
  /** Bits by superpixel, see `SEGMENT_DIAGNOSTIC`; null: none. */
  readonly flags: Uint8Array | null;
  /** Bits of the explanation as a whole. */
  readonly caveats: number;
  /** Rank agreement with the second baseline, and with integrated gradients; NaN where not measured. */
  readonly agreement: number;
  readonly gradientAgreement: number;
  /** Numbers that this page knows by their names alone. */
  readonly further: ReadonlyMap<string, number>;
}

/** Row of the last step at or before `step`; null: the newest. -1: none. Steps rise. */
export function rowAt(steps: readonly number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  let row = -1;
  while (row + 1 < steps.length && steps[row + 1] <= step) row++;
  return row;
}

export function snapshotAt(
  series: Series,
  probe: ProbeInfo,
  step: number | null,
  target: Target,
  basis: Basis = "auto",
): Snapshot | null {
  const at = rowAt(series.steps, step);
  if (at < 0) return null;
  const predicted = series.predicted[at] >= 0 ? series.predicted[at] : null;
  const targets = targetsAt(series, at);
  const wanted = wantedTarget(target, predicted, probe.label, targets);
  return {
    step: series.steps[at],
    at,
    predicted,
    predictedValue: series.predictedValue[at],
    wrong: predicted === null || probe.label === null ? null : predicted !== probe.label,
    targets,
    group: positiveOrNull(series.group?.[at]),
    shown: wanted === null ? null : explainedAt(series, at, wanted, basis),
  };
}

function positiveOrNull(value: number | undefined): number | null {
  return value === undefined || value < 0 ? null : value;
}

export function targetsAt(series: Series, at: number): number[] {
  const row = series.targets.subarray(at * series.slots, (at + 1) * series.slots);
  return Array.from(row).filter((target) => target >= 0);
}

/** A regression has no predicted class and an unlabelled probe no label: then the first output explained. */
function wantedTarget(
  target: Target,
  predicted: number | null,
  label: number | null,
  targets: readonly number[],
): number | null {
  if (typeof target === "number") return target;
  return (target === "predicted" ? predicted : label) ?? targets[0] ?? null;
}

/** A probability moves so little that its weights tell nothing: the log-odds do. */
const STILL = 0.05;

function usesLogOdds(basis: Basis, weights: Float32Array, logit: Float32Array | null, caveats: number): boolean {
  if (logit === null || !logit.some(Number.isFinite)) return false;
  if (basis !== "auto") return basis === "logit";
  return (caveats & TARGET_DIAGNOSTIC.saturated) !== 0 || strongest(weights) < STILL;
}

export function explainedAt(series: Series, at: number, target: number, basis: Basis = "auto"): Explained | null {
  const slot = slotOf(series, at, target);
  if (slot < 0) return null;
  const cell = at * series.slots + slot;
  const from = cell * series.segments;
  const part = <A extends Float32Array | Uint8Array>(all: A | null): A | null =>
    (all?.subarray(from, from + series.segments) as A | undefined) ?? null;
  const caveats = series.caveats?.[cell] ?? 0;
  const onProbability = series.coef.subarray(from, from + series.segments);
  const onLogOdds = part(series.coefLogit);
  const logOdds = usesLogOdds(basis, onProbability, onLogOdds, caveats);
  return {
    slot,
    target,
    weights: logOdds && onLogOdds !== null ? onLogOdds : onProbability,
    logOdds,
    hasLogOdds: onLogOdds !== null,
    moves: strongest(onProbability),
    stderr: part(logOdds ? series.stderrLogit : series.stderr),
    r2: (logOdds ? series.r2Logit?.[cell] : undefined) ?? series.r2[cell],
    prediction: series.prediction[cell],
    objectShare: series.objectShare?.[cell] ?? NaN,
    flags: part(series.flags),
    caveats,
    agreement: series.agreement?.[cell] ?? NaN,
    gradientAgreement: series.gradientAgreement?.[cell] ?? NaN,
    further: new Map([...series.further].map(([name, values]) => [name, values[cell]])),
  };
}

function slotOf(series: Series, at: number, target: number): number {
  for (let slot = 0; slot < series.slots; slot++) {
    if (series.targets[at * series.slots + slot] === target) return slot;
  }
  return -1;
}

/** One superpixel's weight for one output at every epoch; NaN where that output was not explained. */
export function historyOf(
  series: Series,
  target: number,
  segment: number,
  logOdds = false,
): { weights: number[]; stderr: number[] } {
  const coef = (logOdds ? series.coefLogit : null) ?? series.coef;
  const errors = logOdds ? series.stderrLogit : series.stderr;
  const weights: number[] = [];
  const stderr: number[] = [];
  for (let at = 0; at < series.steps.length; at++) {
    const slot = slotOf(series, at, target);
    const index = (at * series.slots + slot) * series.segments + segment;
    weights.push(slot < 0 ? NaN : coef[index]);
    stderr.push(slot < 0 || errors === null ? NaN : errors[index]);
  }
  return { weights, stderr };
}

/** Output ids explained at any epoch, rising. */
export function allTargets(series: Series): number[] {
  return [...new Set(series.targets)].filter((target) => target >= 0).sort((a, b) => a - b);
}

export function className(manifest: RunManifest, target: number | null): string {
  if (target === null) return "–";
  const kind = manifest.output === "regression" ? "output" : "class";
  return manifest.class_names?.[target] ?? `${kind} ${target}`;
}
