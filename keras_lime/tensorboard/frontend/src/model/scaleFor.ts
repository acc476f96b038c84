// Which weight has the full colour. Pure.
import type { Series } from "../data/types.ts";
import type { Explained } from "./snapshot.ts";
import type { View } from "./view.ts";

/** The largest weights of several probes together. */
export interface OverallScale {
  readonly probability: number;
  readonly logOdds: number;
}

/** Of this image alone, of its probe over all epochs, or of all probes; null where nothing is shown. */
export function scaleFor(
  choice: View["scaleOf"],
  explained: Pick<Explained, "weights" | "logOdds"> | null,
  series: readonly Series[],
  overall: OverallScale,
): number | null {
  if (explained === null) return null;
  const { logOdds } = explained;
  if (choice === "all") return (logOdds ? overall.logOdds : overall.probability) || null;
  if (choice === "probe") return Math.max(...series.map((one) => (logOdds ? one.logOddsScale : one.scale)), 0) || null;
  return strongest(explained.weights) || null;
}

/** The largest finite magnitude; 0 where there is none. */
export function strongest(weights: ArrayLike<number>): number {
  let found = 0;
  for (let index = 0; index < weights.length; index++) {
    const magnitude = Math.abs(weights[index]);
    if (magnitude > found && magnitude !== Infinity) found = magnitude;
  }
  return found;
}
