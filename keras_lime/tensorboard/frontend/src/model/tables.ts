// The shown numbers as rows for CSV. Pure.
import type { ProbeInfo, RunManifest, Series } from "../data/types.ts";
import type { Cell } from "./csv.ts";
import { classesOf, curvesOf, type RunSummary } from "./curves.ts";
import { className, explainedAt, type Explained, type Moment } from "./moment.ts";
import { flagSentences } from "./trust.ts";
import type { Measure } from "../data/types.ts";

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface ProbeMoment {
  readonly probe: ProbeInfo;
  readonly moment: Moment | null;
}

/** The grid: one row a probe. */
export function overviewTable(run: string, manifest: RunManifest, probes: readonly ProbeMoment[]): Table {
  const header = ["run", "epoch", "probe", "id", "true_class", "predicted_class", "predicted_value", "explained_class"];
  return {
    header: [...header, "explained_probability", "object_share", "object_share_by_chance", "r2"],
    rows: probes.map(({ probe, moment }) => [
      run,
      moment?.step ?? null,
      probe.name,
      probe.id,
      probe.label === null ? null : className(manifest, probe.label),
      moment === null || moment.predicted === null ? null : className(manifest, moment.predicted),
      moment?.predictedValue ?? null,
      moment === null || moment.shown === null ? null : className(manifest, moment.shown.target),
      moment?.shown?.prediction ?? null,
      moment?.shown?.objectShare ?? null,
      probe.chance,
      moment?.shown?.r2 ?? null,
    ]),
  };
}

/** One probe: a row for every epoch and superpixel of the explained class. */
export function weightsTable(
  run: string,
  manifest: RunManifest,
  probe: ProbeInfo,
  series: Series,
  target: number,
  objectFraction: Float32Array | null,
): Table {
  const rows: Cell[][] = [];
  series.steps.forEach((step, at) => {
    const explained = explainedAt(series, at, target);
    explained?.weights.forEach((weight, segment) =>
      rows.push([
        run,
        probe.name,
        probe.id,
        step,
        className(manifest, target),
        segment,
        weight,
        explained.stderr?.[segment] ?? null,
        flagSentences(manifest, explained, segment).join(" "),
        objectFraction?.[segment] ?? null,
      ]),
    );
  });
  const header = ["run", "probe", "id", "epoch", "class", "superpixel", "weight", "standard_error", "doubts", "on_object"];
  return { header, rows };
}

/** The shortcut chart: a row for every run, class and epoch; the class is empty for all probes together. */
export function curvesTable(runs: readonly RunSummary[], manifest: RunManifest, measure: Measure): Table {
  const rows: Cell[][] = [];
  for (const classId of [null, ...classesOf(runs)]) {
    for (const run of runs) {
      const { steps, measured, chance } = curvesOf([run], measure, classId);
      steps.forEach((step, row) =>
        rows.push([
          run.run,
          classId === null ? null : className(manifest, classId),
          step,
          measured[0]?.values[row] ?? null,
          measured[0]?.errors[row] ?? null,
          chance[0]?.values[row] ?? null,
        ]),
      );
    }
  }
  return { header: ["run", "class", "epoch", measure, "standard_error", "by_chance"], rows };
}

export interface PairMoment {
  readonly probe: ProbeInfo;
  /** One class explained on both sides. */
  readonly common: { readonly left: Explained; readonly right: Explained } | null;
}

/** The comparison: a row for every probe and superpixel, of a class that both sides explain. */
export function comparisonTable(manifest: RunManifest, pairs: readonly PairMoment[]): Table {
  const rows: Cell[][] = [];
  for (const { probe, common } of pairs) {
    if (common === null) continue;
    const { left, right } = common;
    left.weights.forEach((weight, segment) => {
      const other = right.weights[segment] ?? NaN;
      rows.push([probe.name, probe.id, className(manifest, left.target), segment, weight, other, other - weight]);
    });
  }
  return { header: ["probe", "id", "class", "superpixel", "left", "right", "right_minus_left"], rows };
}
