// What components need to know of one probe, as hooks.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { growthOf, probeOf, type ProbeData, relaxProbe, retries, sessionOf, wantProbe } from "../data/store.ts";
import { type Drawing, type LabelledPicture, shrinkLabelled } from "../draw/overlay.ts";
import type { Series } from "../data/types.ts";
import { type OverallScale, scaleFor } from "../model/scaleFor.ts";
import type { Explained } from "../model/snapshot.ts";
import { drawing, overallScale } from "../state/drawing.ts";
import { view } from "../state/selection.ts";
import { useVisible } from "./useVisible.ts";

/** A probe's data; fetched while `wanted`, and again when the run has grown. */
export function useProbe(run: string, probe: string, wanted: boolean): ProbeData {
  const data = probeOf(run, probe);
  const growth = growthOf(run);
  const session = sessionOf(run);
  const retry = retries.value;
  useEffect(() => {
    if (!wanted) return;
    void wantProbe(run, probe);
    return () => relaxProbe(run, probe);
  }, [run, probe, wanted, growth, session, retry]);
  return data;
}

type Scaled = Pick<Explained, "weights" | "logOdds">;

/** The controls' drawing, on the scale that they ask for. */
export function useDrawing(explained: Scaled | null, ...series: readonly (Series | null)[]): Drawing {
  const base = drawing.value;
  const known = series.filter((one) => one !== null);
  const { scaleOf } = view;
  const overall = scaleOf === "all" ? overallScale.value : NO_SCALE;
  const scale = scaleFor(scaleOf, explained, known, overall);
  return useMemo(() => ({ ...base, scale }), [base, scale]);
}

const NO_SCALE: OverallScale = { probability: 0, logOdds: 0 };

/** A small copy of a large picture, for a small tile. */
export function useSmall(labelled: LabelledPicture | null, limit: number): LabelledPicture | null {
  return useMemo(() => (labelled === null ? null : shrinkLabelled(labelled, limit)), [labelled, limit]);
}

/** What a tile that is a button needs: its data once it is seen, its picture not larger than `limit`. */
export function useTile(run: string, probe: string, limit: number) {
  const element = useRef<HTMLButtonElement>(null);
  const seen = useVisible(element);
  const data = useProbe(run, probe, seen);
  const series = data.numbers.value;
  return [element, seen, data, series, useSmall(data.labelled.value, limit)] as const;
}
