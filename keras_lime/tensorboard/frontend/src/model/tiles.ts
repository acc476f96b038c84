// Which probes the overview shows, in which order, and how many are right. Pure.
import type { ProbeInfo, Series, Summary } from "../data/types.ts";
import { isNumber } from "./numbers.ts";
import { type Snapshot } from "./snapshot.ts";
import type { View } from "./view.ts";

/** What is known of a probe at an epoch without its weights. */
export interface ProbeNumbers {
  /** null: a regression. */
  readonly predicted: number | null;
  readonly value: number;
  readonly wrong: boolean | null;
  readonly share: number;
  readonly r2: number;
  /** Largest weight. */
  readonly weight: number;
  /** How far the prediction moved since the epoch before. */
  readonly change: number;
  /** How often the predicted class changed up to here. */
  readonly flips: number;
}

export interface Tile {
  readonly probe: ProbeInfo;
  /** null while they are on the way, or when there are none at this epoch. */
  readonly numbers: ProbeNumbers | null;
}

/** Numbers of all probes at a row of the summary; null where the log does not list them, as older logs. */
export function listedNumbers(summary: Summary, probes: readonly ProbeInfo[], row: number): ProbeNumbers[] | null {
  const { predicted, value, share, r2, weight } = summary.probes;
  const n = probes.length;
  if (predicted === null || value === null || row < 0 || predicted.length !== summary.steps.length * n) return null;
  const at = (table: Float32Array | null, index: number, of = row): number => table?.[of * n + index] ?? NaN;
  return probes.map((probe, index) => {
    const classAt = (of: number): number => predicted[of * n + index];
    let flips = 0;
    for (let of = 1; of <= row; of++) if (classAt(of) !== classAt(of - 1)) flips++;
    const said = classAt(row) >= 0 ? classAt(row) : null;
    const before = row === 0 ? NaN : at(value, index, row - 1);
    const same = row > 0 && classAt(row) === classAt(row - 1);
    return {
      predicted: said,
      value: at(value, index),
      wrong: said === null || probe.label === null ? null : said !== probe.label,
      share: at(share, index),
      r2: at(r2, index),
      weight: at(weight, index),
      change: same ? Math.abs(at(value, index) - before) : at(value, index) + before,
      flips,
    };
  });
}

/** The same from a probe's own series. */
export function numbersOf(series: Series, snapshot: Snapshot): ProbeNumbers {
  const { predicted, predictedValue, wrong, shown, at } = snapshot;
  let flips = 0;
  for (let row = 1; row <= at; row++) if (series.predicted[row] !== series.predicted[row - 1]) flips++;
  const before = at === 0 ? NaN : series.predictedValue[at - 1];
  const same = at > 0 && series.predicted[at] === series.predicted[at - 1];
  return {
    predicted,
    value: predictedValue,
    wrong,
    share: shown?.objectShare ?? NaN,
    r2: shown?.r2 ?? NaN,
    weight: shown?.moves ?? NaN,
    change: same ? Math.abs(predictedValue - before) : predictedValue + before,
    flips,
  };
}

type Filter = Pick<View, "onlyClass" | "onlyPredicted" | "wrongOnly" | "maxShare" | "search">;

/** A probe whose numbers are still missing is shown unless what is known already excludes it. */
export function filterTiles(tiles: readonly Tile[], filter: Filter, nameOf: (classId: number) => string): Tile[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return tiles.filter(({ probe, numbers }) => {
    if (filter.onlyClass !== null && probe.label !== filter.onlyClass) return false;
    if (words.length > 0) {
      const classes = [probe.label, numbers?.predicted ?? null].filter((id) => id !== null).map(nameOf);
      const text = [probe.name, ...classes].join(" ").toLowerCase();
      if (!words.every((word) => text.includes(word) || probe.id.startsWith(word))) return false;
    }
    if (numbers === null) return true;
    if (filter.onlyPredicted !== null && numbers.predicted !== filter.onlyPredicted) return false;
    if (filter.wrongOnly && numbers.wrong !== true) return false;
    return filter.maxShare >= 1 || numbers.share <= filter.maxShare;
  });
}

const KEYS: Readonly<Record<Exclude<View["sort"], "given" | "name">, (numbers: ProbeNumbers) => number>> = {
  share: ({ share }) => share,
  wrong: ({ wrong, value }) => (wrong === true ? -value : 1),
  r2: ({ r2 }) => r2,
  certainty: ({ value }) => value,
  weight: ({ weight }) => -weight,
  change: ({ change }) => -change,
  flips: ({ flips }) => -flips,
};

/** Pinned ones first, then by the key, lowest first; what has no number comes last; equals keep their given order. */
export function sortTiles(tiles: readonly Tile[], sort: View["sort"], pinned: readonly string[] = []): Tile[] {
  const sorted = ordered(tiles, sort);
  const isPinned = ({ probe }: Tile): boolean => pinned.includes(probe.id);
  return pinned.length === 0 ? sorted : [...sorted.filter(isPinned), ...sorted.filter((tile) => !isPinned(tile))];
}

function ordered(tiles: readonly Tile[], sort: View["sort"]): Tile[] {
  if (sort === "given") return [...tiles];
  if (sort === "name") {
    return [...tiles].sort((a, b) => a.probe.name.localeCompare(b.probe.name, undefined, { numeric: true }));
  }
  const keyOf = (tile: Tile): number => {
    const key = tile.numbers === null ? NaN : KEYS[sort](tile.numbers);
    return Number.isNaN(key) ? Infinity : key;
  };
  const keys = new Map(tiles.map((tile) => [tile, keyOf(tile)]));
  return [...tiles].sort((a, b) => {
    const [left, right] = [keys.get(a)!, keys.get(b)!];
    return left === right ? 0 : left < right ? -1 : 1;
  });
}

/** Classes that probes have, rising. */
export function labelsOf(probes: readonly ProbeInfo[]): number[] {
  return [...new Set(probes.map((probe) => probe.label).filter((label) => label !== null))].sort((a, b) => a - b);
}

export interface Means {
  readonly accuracy: number;
  readonly share: number;
  readonly chance: number;
  readonly r2: number;
}

/** Means over these tiles, NaN where none of them says anything. */
export function meansOf(tiles: readonly Tile[]): Means {
  const known = tiles.flatMap(({ numbers }) => numbers ?? []);
  return {
    accuracy: mean(known.map(({ wrong }) => (wrong === null ? NaN : Number(!wrong)))),
    share: mean(known.map(({ share }) => share)),
    chance: mean(tiles.map(({ probe }) => probe.chance ?? NaN)),
    r2: mean(known.map(({ r2 }) => r2)),
  };
}

function mean(values: readonly number[]): number {
  const finite = values.filter(isNumber);
  return finite.length === 0 ? NaN : finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** How many probes of each true class are predicted as which: rows by true class, then by predicted class. */
export function confusionOf(tiles: readonly Tile[]): ReadonlyMap<number, ReadonlyMap<number, number>> {
  const counts = new Map<number, Map<number, number>>();
  for (const { probe, numbers } of tiles) {
    if (probe.label === null || numbers === null || numbers.predicted === null) continue;
    const row = counts.get(probe.label) ?? new Map<number, number>();
    counts.set(probe.label, row.set(numbers.predicted, (row.get(numbers.predicted) ?? 0) + 1));
  }
  return counts;
}
