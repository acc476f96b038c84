// Curves over epochs for several runs on one axis. Pure.
import type { Measure, Summary } from "../data/types.ts";
import { MEASURES } from "../data/types.ts";

export interface RunSummary {
  readonly run: string;
  readonly summary: Summary;
}

export interface Curve {
  readonly run: string;
  readonly values: readonly (number | null)[];
}

export interface Curves {
  /** Epochs of all runs, rising. */
  readonly steps: readonly number[];
  readonly measured: readonly Curve[];
  /** What chance would give, one curve for runs where it is the same. Of the object share alone. */
  readonly chance: readonly Curve[];
}

/** One measure, overall or of one class. Epochs a run has not explained are null. */
export function curvesOf(runs: readonly RunSummary[], measure: Measure, classId: number | null): Curves {
  const steps = [...new Set(runs.flatMap(({ summary }) => summary.steps))].sort((a, b) => a - b);
  const spread = (run: RunSummary, values: Float32Array): Curve => {
    const at = new Map(run.summary.steps.map((step, row) => [step, values[row]]));
    return { run: run.run, values: steps.map((step) => orNull(at.get(step))) };
  };
  const measured = runs.map((run) => {
    const { overall, perClass } = run.summary;
    return spread(run, classId === null ? overall[measure] : columnOf(run.summary, perClass[measure], classId));
  });
  const chance = runs.map((run) =>
    spread(run, classId === null ? run.summary.chance : columnOf(run.summary, run.summary.classChance, classId)),
  );
  return {
    steps,
    measured: measured.filter(hasNumbers),
    chance: measure === "object_share" ? distinct(chance.filter(hasNumbers)) : [],
  };
}

/** Classes of any of the runs, rising. */
export function classesOf(runs: readonly RunSummary[]): number[] {
  return [...new Set(runs.flatMap(({ summary }) => summary.classIds))].sort((a, b) => a - b);
}

/** Measures that at least one of the runs has. */
export function measuresOf(runs: readonly RunSummary[]): Measure[] {
  return MEASURES.filter((measure) => runs.some(({ summary }) => summary.overall[measure].some(Number.isFinite)));
}

function columnOf(summary: Summary, table: Float32Array, classId: number): Float32Array {
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
  return value !== undefined && Number.isFinite(value) ? value : null;
}
