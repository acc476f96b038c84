// The rims of superpixels as an SVG path in picture coordinates. Pure.
import type { LabelledPicture } from "./overlay.ts";

type Labels = Pick<LabelledPicture, "width" | "height" | "labels">;

export function outlinePath(labelled: Labels, segment: number): string {
  return outlinesPath(labelled, [segment]);
}

/** The rims of several superpixels; where two of them touch there is one line. */
export function outlinesPath({ width, height, labels }: Labels, segments: readonly number[]): string {
  if (segments.length === 0) return "";
  const wanted = new Set(segments);
  const at = (x: number, y: number): number => (x >= 0 && y >= 0 && x < width && y < height ? labels[y * width + x] : -1);
  const parts: string[] = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      const [here, above, before] = [at(x, y), at(x, y - 1), at(x - 1, y)];
      if (here !== above && (wanted.has(here) || wanted.has(above))) parts.push(`M${x} ${y}h1`);
      if (here !== before && (wanted.has(here) || wanted.has(before))) parts.push(`M${x} ${y}v1`);
    }
  }
  return parts.join("");
}
