// Colours of lines: TensorBoard's own for runs, and beyond these hues as far from each other as they go.
import { readableRuns } from "../data/store.ts";

const LINES = ["#12b5cb", "#e52592", "#f9ab00", "#9334e6", "#7cb342", "#e8710a", "#4285f4", "#b05b2e", "#00897b", "#d81b60"];
/** Steps of the golden angle never come back to a hue. */
const GOLDEN_ANGLE = 137.508;

export function lineColour(index: number): string {
  if (index < LINES.length) return LINES[Math.max(index, 0)];
  const round = Math.floor(index / LINES.length);
  return `hsl(${Math.round((index * GOLDEN_ANGLE) % 360)} ${65 - (round % 3) * 15}% ${42 + (round % 2) * 14}%)`;
}

/** The same run has the same colour in every chart. */
export function runColour(run: string): string {
  return lineColour(readableRuns.value.findIndex((info) => info.run === run));
}
