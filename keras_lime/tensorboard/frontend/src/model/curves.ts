// Curves over epochs for several runs on one axis. Pure.
import { isNumber } from "./numbers.ts";
import type { Measure, RunManifest, Summary } from "../data/types.ts";
import { MEASURES } from "../data/types.ts";

export interface RunSummary {
  readonly run: string;
  readonly summary: Summary;
}

export interface Curve {
  readonly run: string;
  readonly values: readonly (number | null)[];
  /** Standard errors over the probes; NaN where not known. */
  readonly errors: readonly number[];
  /** Rows at which an alarm is on. */
  readonly alarms: readonly number[];
}

export interface Curves {
  /** Epochs of all runs, rising. */
  readonly steps: readonly number[];
  readonly measured: readonly Curve[];
  /** What chance would give, one curve for runs where it is the same. Of object share and swap flip alone. */
  readonly chance: readonly Curve[];
}

/** One measure, overall or of one class. Epochs a run has not explained are null. */
export function curvesOf(runs: readonly RunSummary[], measure: Measure, classId: number | null): Curves {
  const steps = [...new Set(runs.flatMap(({ summary }) => summary.steps))].sort((a, b) => a - b);
  const measured = runs.map(({ run, summary }) => {
    const own = (all: Float32Array | undefined, table: Float32Array | undefined): Spread =>
      spread(steps, summary, classId === null ? all : columnOf(summary, table, classId));
    const values = own(summary.overall[measure], summary.perClass[measure]).map(orNull);
    const errors = own(summary.errors[measure], summary.classErrors[measure]).map((error) => error ?? NaN);
    const on = new Set(summary.shortcut.alarms.map(({ step }) => step));
    const alarms = [...steps.keys()].filter((row) => on.has(steps[row]) && values[row] !== null);
    return { run, values, errors, alarms };
  });
  const chance = runs.map(({ run, summary }) => {
    const values = spread(steps, summary, chanceOf(summary, measure, classId)).map(orNull);
    return { run, values, errors: [], alarms: [] };
  });
  const kept = measured.filter(hasNumbers);
  const charted = new Set(kept.map(({ run }) => run));
  return {
    steps,
    measured: kept,
    chance: distinct(chance.filter((curve) => charted.has(curve.run) && hasNumbers(curve))),
  };
}

type Spread = readonly (number | undefined)[];

/** A column over the epochs of one run, over those of all runs. */
function spread(steps: readonly number[], summary: Summary, values: Float32Array | undefined): Spread {
  const at = new Map(summary.steps.map((step, row) => [step, values?.[row]]));
  return steps.map((step) => at.get(step));
}

/** Object share of weights spread evenly; changes of predictions that are guesses. */
function chanceOf(summary: Summary, measure: Measure, classId: number | null): Float32Array | undefined {
  if (measure === "swap_flip") return summary.shortcut.guess.map((guess) => 1 - guess);
  if (measure !== "object_share") return undefined;
  return classId === null ? summary.chance : columnOf(summary, summary.classChance, classId);
}

/** Steps at which trainings after the first began in a run. */
export function laterFitsOf(manifest: Pick<RunManifest, "fits"> | null): readonly number[] {
  return (manifest?.fits ?? []).slice(1);
}

/** Classes of any of the runs, rising. */
export function classesOf(runs: readonly RunSummary[]): number[] {
  return [...new Set(runs.flatMap(({ summary }) => summary.classIds))].sort((a, b) => a - b);
}

/** Measures that at least one of the runs has, overall. */
export function measuresOf(runs: readonly RunSummary[]): Measure[] {
  return MEASURES.filter((measure) => runs.some(({ summary }) => summary.overall[measure].some(isNumber)));
}

function columnOf(summary: Summary, table: Float32Array | undefined, classId: number): Float32Array | undefined {
  if (table === undefined) return undefined;
  const width = summary.classIds.length;
  const column = summary.classIds.indexOf(classId);
  return Float32Array.from(summary.steps, (_, row) => (column < 0 ? NaN : table[row * width + column]));
}

function hasNumbers(curve: Curve): boolean {
  return curve.values.some((value) => value !== null);
}

function distinct(curves: readonly Curve[]): Curve[] {
  const kept: Curve[] = [];
  for (const curve of curves) {
    const same = kept.some(({ values }) =>
      values.every((value, row) => {
        const other = curve.values[row];
        return value === null || other === null || Math.abs(value - other) < 1e-6;
      }),
    );
    if (!same) kept.push(curve);
  }
  return kept;
}

function orNull(value: number | undefined): number | null {
  return isNumber(value) ? value : null;
}
