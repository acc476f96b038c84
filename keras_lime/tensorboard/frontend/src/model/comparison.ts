// The two sides of a comparison, and their difference. Pure.
import type { ProbeInfo, RunInfo, Segments, Series } from "../data/types.ts";
import type { Basis, View } from "./view.ts";
import { type Explained, explainedAt, type Snapshot } from "./snapshot.ts";

export interface Side {
  readonly run: string;
  /** null: the newest. */
  readonly epoch: number | null;
}

/**
 * What stands on the other side: without a choice, the next run that shares probes, at the same epoch; where there is
 * one run only, its first epoch.
 */
export function otherSide(view: View, left: Side, runs: readonly RunInfo[], firstEpoch: number | null): Side {
  const own = runs.find((info) => info.run === left.run)?.manifest?.probes ?? [];
  const others = runs.filter((info) => info.run !== left.run);
  const sharing = others.find(({ manifest }) => sharedProbes(own, manifest?.probes ?? []).length > 0);
  const run = view.otherRun ?? (sharing ?? others[0])?.run ?? left.run;
  const epoch = view.otherEpoch ?? (run === left.run ? firstEpoch : left.epoch);
  return { run, epoch };
}

/** Probes that both runs have, in the order of the left. */
export function sharedProbes(left: readonly ProbeInfo[], right: readonly ProbeInfo[]): ProbeInfo[] {
  const known = new Set(right.map((probe) => probe.id));
  return left.filter((probe) => known.has(probe.id));
}

/** Weights can be subtracted only superpixel by superpixel. */
export function sameSegments(left: Segments, right: Segments): boolean {
  return (
    left.width === right.width &&
    left.height === right.height &&
    left.labels.every((label, pixel) => label === right.labels[pixel])
  );
}

/** Right minus left, with the standard errors added as independent ones. */
export function difference(left: Explained, right: Explained): Pick<Explained, "weights" | "stderr" | "flags"> {
  const weights = right.weights.map((weight, index) => weight - left.weights[index]);
  const [first, second] = [left.stderr, right.stderr];
  const stderr = first === null || second === null ? null : first.map((error, index) => Math.hypot(error, second[index]));
  const flags = left.flags === null ? right.flags : left.flags.map((bits, index) => bits | (right.flags?.[index] ?? 0));
  return { weights, stderr, flags };
}

export interface Half {
  readonly series: Series;
  readonly snapshot: Snapshot;
}

/**
 * One class explained on both sides, to be subtracted: the shown one where both show the same, else the true class, else
 * any. Two models that predict differently are still compared on what they say of one class.
 */
export function commonClass(left: Half, right: Half, label: number | null, basis: Basis = "auto"): { left: Explained; right: Explained } | null {
  const shown = [left.snapshot.shown?.target, right.snapshot.shown?.target];
  const candidates = shown[0] === shown[1] ? shown : [label, ...shown, ...left.snapshot.targets];
  for (const target of candidates) {
    if (target === undefined || target === null) continue;
    let before = explainedAt(left.series, left.snapshot.at, target, basis);
    let after = explainedAt(right.series, right.snapshot.at, target, basis);
    if (before !== null && after !== null && before.logOdds !== after.logOdds) {
      // Weights on two scales cannot be subtracted.
      const common = before.hasLogOdds && after.hasLogOdds ? "logit" : "probability";
      before = explainedAt(left.series, left.snapshot.at, target, common);
      after = explainedAt(right.series, right.snapshot.at, target, common);
    }
    if (before !== null && after !== null) return { left: before, right: after };
  }
  return null;
}
