// Which probes are shown, in which order: what the controls make of the run's probes.
import { computed, type ReadonlySignal } from "@preact/signals";
import { probeOf } from "../data/store.ts";
import { snapshotAt } from "../model/snapshot.ts";
import { filterTiles, sortTiles, type Tile } from "../model/tiles.ts";
import { currentManifest, currentRun, currentStep, view } from "./selection.ts";

/** Numbers are looked at only where order or choice depends on them. */
export const tiles: ReadonlySignal<readonly Tile[]> = computed(() => {
  const run = currentRun.value;
  const probes = currentManifest.value?.probes ?? [];
  if (run === null) return [];
  const { sort, onlyClass, wrongOnly, maxShare, target } = view;
  const needsNumbers = !["given", "name"].includes(sort) || wrongOnly || maxShare < 1;
  const all = probes.map((probe): Tile => {
    const series = needsNumbers ? probeOf(run, probe.id).numbers.value : null;
    return { probe, snapshot: series === null ? null : snapshotAt(series, probe, currentStep.value, target) };
  });
  return sortTiles(filterTiles(all, { onlyClass, wrongOnly, maxShare }), sort);
});
