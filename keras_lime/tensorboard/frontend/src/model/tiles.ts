// Which probes the overview shows, in which order. Pure.
import type { ProbeInfo } from "../data/types.ts";
import type { View } from "./view.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Tile {
  readonly probe: ProbeInfo;
  /** null while its numbers are on the way, or when there are none at this epoch. */
  readonly snapshot: Snapshot | null;
}

type Filter = Pick<View, "onlyClass" | "wrongOnly" | "maxShare">;

/** A probe whose numbers are still missing is shown unless what is known already excludes it. */
export function filterTiles(tiles: readonly Tile[], filter: Filter): Tile[] {
  return tiles.filter(({ probe, snapshot }) => {
    if (filter.onlyClass !== null && probe.label !== filter.onlyClass) return false;
    if (snapshot === null) return true;
    if (filter.wrongOnly && snapshot.wrong !== true) return false;
    return filter.maxShare >= 1 || (snapshot.shown?.objectShare ?? NaN) <= filter.maxShare;
  });
}

const KEYS: Readonly<Record<Exclude<View["sort"], "given" | "name">, (snapshot: Snapshot) => number>> = {
  share: (snapshot) => snapshot.shown?.objectShare ?? NaN,
  wrong: (snapshot) => (snapshot.wrong === true ? -snapshot.predictedValue : 1),
  r2: (snapshot) => snapshot.shown?.r2 ?? NaN,
  certainty: (snapshot) => snapshot.predictedValue,
};

/** Lowest first; what has no number comes last; equals keep the order in which the probes were given. */
export function sortTiles(tiles: readonly Tile[], sort: View["sort"]): Tile[] {
  if (sort === "given") return [...tiles];
  if (sort === "name") {
    return [...tiles].sort((a, b) => a.probe.name.localeCompare(b.probe.name, undefined, { numeric: true }));
  }
  const keyOf = (tile: Tile): number => {
    const key = tile.snapshot === null ? NaN : KEYS[sort](tile.snapshot);
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
