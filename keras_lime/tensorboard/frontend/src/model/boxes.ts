// Boxes around objects, in pixels of the picture: drawn, moved, grown, and written for Python. Pure.

/** Top, left, bottom, right; bottom and right lie outside, as in Python's slices. */
export type Box = readonly [number, number, number, number];

export type Boxes = ReadonlyMap<string, readonly Box[]>;

interface Size {
  readonly width: number;
  readonly height: number;
}

const LEAST = 2;

/** The box between two points, whole pixels inside the picture; null where it is hardly a point. */
export function boxBetween([y0, x0]: readonly [number, number], [y1, x1]: readonly [number, number], size: Size): Box | null {
  const clampY = (value: number): number => Math.min(Math.max(Math.round(value), 0), size.height);
  const clampX = (value: number): number => Math.min(Math.max(Math.round(value), 0), size.width);
  const box: Box = [clampY(Math.min(y0, y1)), clampX(Math.min(x0, x1)), clampY(Math.max(y0, y1)), clampX(Math.max(x0, x1))];
  return box[2] - box[0] < LEAST || box[3] - box[1] < LEAST ? null : box;
}

/** The box around what a mask (h × w, row by row) covers; null where it covers nothing. */
export function boxAround(mask: Uint8Array, { width, height }: Size): Box | null {
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] === 0) continue;
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    }
  }
  return bottom === 0 ? null : boxBetween([top, left], [bottom, right], { width, height });
}

/** Moved by whole pixels, as far as the picture goes. */
export function moved([top, left, bottom, right]: Box, down: number, across: number, { width, height }: Size): Box {
  const y = Math.min(Math.max(Math.round(down), -top), height - bottom);
  const x = Math.min(Math.max(Math.round(across), -left), width - right);
  return [top + y, left + x, bottom + y, right + x];
}

/** With another lower right corner. */
export function grown([top, left, bottom, right]: Box, down: number, across: number, { width, height }: Size): Box {
  return [
    top,
    left,
    Math.min(Math.max(bottom + Math.round(down), top + LEAST), height),
    Math.min(Math.max(right + Math.round(across), left + LEAST), width),
  ];
}

/** What `ProbeSet.with_boxes` reads. */
export function boxesJson(boxes: Boxes): string {
  return JSON.stringify({ version: 1, boxes: Object.fromEntries(boxes) }, null, 1);
}
