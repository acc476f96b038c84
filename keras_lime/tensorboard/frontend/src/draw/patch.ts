// One superpixel cut out of its picture: its own colours, what is around it pale. Pure.
import type { LabelledPicture } from "./overlay.ts";

export interface Patch {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

/** Pixels around the superpixel that are shown too. */
const MARGIN = 2;
const PALE = 0.75;
const PAPER = 235;

/** null for a superpixel that has no pixel. */
export function cutPatch({ width, height, labels, rgba }: LabelledPicture, segment: number): Patch | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (labels[at] !== segment) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  left = Math.max(0, left - MARGIN);
  top = Math.max(0, top - MARGIN);
  right = Math.min(width - 1, right + MARGIN);
  bottom = Math.min(height - 1, bottom + MARGIN);
  const patch = { width: right - left + 1, height: bottom - top + 1 };
  const out = new Uint8ClampedArray(patch.width * patch.height * 4);
  for (let y = top, to = 0; y <= bottom; y++) {
    for (let x = left; x <= right; x++, to += 4) {
      const from = y * width + x;
      const fade = labels[from] === segment ? 0 : PALE;
      for (let channel = 0; channel < 3; channel++) {
        out[to + channel] = Math.round(rgba[from * 4 + channel] * (1 - fade) + PAPER * fade);
      }
      out[to + 3] = 255;
    }
  }
  return { ...patch, rgba: out };
}
