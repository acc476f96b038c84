// Colours of lines: TensorBoard's own for runs, and more of the kind.
import { readableRuns } from "../data/store.ts";

const LINES = ["#12b5cb", "#e52592", "#f9ab00", "#9334e6", "#7cb342", "#e8710a", "#4285f4", "#b05b2e", "#00897b", "#d81b60"];

export function lineColour(index: number): string {
  return LINES[index % LINES.length];
}

/** The same run has the same colour in every chart. */
export function runColour(run: string): string {
  return lineColour(readableRuns.value.findIndex((info) => info.run === run));
}
