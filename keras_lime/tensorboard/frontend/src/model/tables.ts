// The shown numbers as rows for CSV. Pure.
import type { ProbeInfo, RunManifest, Series } from "../data/types.ts";
import type { Cell } from "./csv.ts";
import { classesOf, curvesOf, type RunSummary } from "./curves.ts";
import { className, explainedAt, type Explained, type Snapshot } from "./snapshot.ts";
import { segmentSentences } from "./diagnostics.ts";
import type { Measure } from "../data/types.ts";
import type { Basis } from "./view.ts";

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface ProbeSnapshot {
  readonly probe: ProbeInfo;
  readonly snapshot: Snapshot | null;
}

/** The grid: one row a probe. */
export function overviewTable(run: string, manifest: RunManifest, probes: readonly ProbeSnapshot[]): Table {
  const header = ["run", "epoch", "probe", "id", "true_class", "predicted_class", "predicted_value", "explained_class"];
  return {
    header: [...header, "explained_probability", "object_share", "object_share_by_chance", "r2"],
    rows: probes.map(({ probe, snapshot }) => [
      run,
      snapshot?.step ?? null,
      probe.name,
      probe.id,
      probe.label === null ? null : className(manifest, probe.label),
      snapshot === null || snapshot.predicted === null ? null : className(manifest, snapshot.predicted),
      snapshot?.predictedValue ?? null,
      snapshot === null || snapshot.shown === null ? null : className(manifest, snapshot.shown.target),
      snapshot?.shown?.prediction ?? null,
      snapshot?.shown?.objectShare ?? null,
      probe.chance,
      snapshot?.shown?.r2 ?? null,
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
  basis: Basis = "auto",
): Table {
  const rows: Cell[][] = [];
  series.steps.forEach((step, at) => {
    const explained = explainedAt(series, at, target, basis);
    explained?.weights.forEach((weight, segment) =>
      rows.push([
        run,
        probe.name,
        probe.id,
        step,
        className(manifest, target),
        segment,
        weight,
        explained.logOdds ? "log-odds" : "probability",
        explained.stderr?.[segment] ?? null,
        segmentSentences(manifest, explained, segment).join(" "),
        objectFraction?.[segment] ?? null,
      ]),
    );
  });
  const header = ["run", "probe", "id", "epoch", "class", "superpixel", "weight", "weight_of", "standard_error", "doubts", "on_object"];
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

export interface PairSnapshot {
  readonly probe: ProbeInfo;
  /** One class explained on both sides. */
  readonly common: { readonly left: Explained; readonly right: Explained } | null;
}

/** The comparison: a row for every probe and superpixel, of a class that both sides explain. */
export function comparisonTable(manifest: RunManifest, pairs: readonly PairSnapshot[]): Table {
  const rows: Cell[][] = [];
  for (const { probe, common } of pairs) {
    if (common === null) continue;
    const { left, right } = common;
    const scale = left.logOdds ? "log-odds" : "probability";
    left.weights.forEach((weight, segment) => {
      const other = right.weights[segment] ?? NaN;
      rows.push([probe.name, probe.id, className(manifest, left.target), segment, weight, other, other - weight, scale]);
    });
  }
  return { header: ["probe", "id", "class", "superpixel", "left", "right", "right_minus_left", "weight_of"], rows };
}
