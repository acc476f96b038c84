// Weights + superpixels → pixels. Pure. Python's keras_lime.core.drawing draws the same bytes; change both or neither.

export type Rgb = readonly [number, number, number];
export type PaletteName = "green-red" | "blue-orange";

/** Colours of superpixels for and against; the second pair is safe for colour-blind readers. */
export const PALETTES: Readonly<Record<PaletteName, readonly [Rgb, Rgb]>> = {
  "green-red": [
    [0, 158, 60],
    [214, 39, 40],
  ],
  "blue-orange": [
    [33, 102, 204],
    [230, 126, 0],
  ],
};

const REST = 128;
const BORDER = 255;

/** A picture with its superpixels, prepared once: edges[i] is 1 where a 4-neighbour has another label. */
export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
  readonly labels: Uint16Array;
  readonly edges: Uint8Array;
}

export interface Selection {
  readonly positive: boolean;
  readonly negative: boolean;
  /** At most so many superpixels; null: all. */
  readonly numFeatures: number | null;
  readonly minWeight: number;
}

export interface Drawing extends Selection {
  /** Of the strongest superpixel, 0..1. */
  readonly opacity: number;
  /** Weight at which the colour is strongest; null: the largest of these weights. */
  readonly scale: number | null;
  readonly palette: PaletteName;
  readonly boundaries: boolean;
  readonly hideRest: boolean;
  readonly style: "fill" | "outline";
}

type Weights = ArrayLike<number>;

export function makeSheet(width: number, height: number, rgba: Uint8ClampedArray, labels: Uint16Array): Sheet {
  return { width, height, rgba, labels, edges: findEdges(width, height, labels) };
}

function findEdges(width: number, height: number, labels: Uint16Array): Uint8Array {
  const edges = new Uint8Array(labels.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (x + 1 < width && labels[at] !== labels[at + 1]) edges[at] = edges[at + 1] = 1;
      if (y + 1 < height && labels[at] !== labels[at + width]) edges[at] = edges[at + width] = 1;
    }
  }
  return edges;
}

/** The strongest superpixels, strongest first, equal weights by their index. NaN and zero are never selected. */
export function selectSegments(weights: Weights, selection: Selection): number[] {
  const found: number[] = [];
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index];
    const allowed = (weight > 0 && selection.positive) || (weight < 0 && selection.negative);
    if (allowed && Number.isFinite(weight) && Math.abs(weight) >= selection.minWeight) found.push(index);
  }
  found.sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b);
  return selection.numFeatures === null ? found : found.slice(0, selection.numFeatures);
}

/** Colours over a picture, written into `out` (RGBA, the sheet's size). */
export function drawOverlay(sheet: Sheet, weights: Weights, drawing: Drawing, out: Uint8ClampedArray): void {
  const alphas = new Float64Array(weights.length);
  const selected = new Uint8Array(weights.length);
  const scale = (drawing.scale ?? largestFinite(weights)) || 1;
  for (const index of selectSegments(weights, drawing)) {
    selected[index] = 1;
    if (drawing.style === "fill") alphas[index] = drawing.opacity * Math.min(1, Math.abs(weights[index]) / scale);
  }
  const tints = PALETTES[drawing.palette];
  const { rgba, labels, edges } = sheet;
  for (let pixel = 0, at = 0; pixel < labels.length; pixel++, at += 4) {
    const label = labels[pixel];
    const chosen = selected[label] === 1;
    const alpha = chosen ? alphas[label] : 0;
    const tint = weights[label] > 0 ? tints[0] : tints[1];
    const edge = edges[pixel] === 1;
    const outlined = edge && chosen && drawing.style === "outline";
    const bordered = edge && drawing.boundaries;
    const grey = drawing.hideRest && !chosen;
    for (let channel = 0; channel < 3; channel++) {
      let value = grey ? REST : rgba[at + channel];
      if (alpha > 0) value = Math.floor(value * (1 - alpha) + tint[channel] * alpha + 0.5);
      if (outlined) value = tint[channel];
      else if (bordered) value = Math.floor(0.5 * value + 0.5 * BORDER + 0.5);
      out[at + channel] = value;
    }
    out[at + 3] = 255;
  }
}

/** Every n-th pixel of a sheet whose longer side exceeds `limit`: a small copy for a small tile. */
export function shrinkSheet(sheet: Sheet, limit: number): Sheet {
  const stride = Math.ceil(Math.max(sheet.width, sheet.height) / limit);
  if (stride <= 1) return sheet;
  const width = Math.ceil(sheet.width / stride);
  const height = Math.ceil(sheet.height / stride);
  const rgba = new Uint8ClampedArray(width * height * 4);
  const labels = new Uint16Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const from = y * stride * sheet.width + x * stride;
      labels[at] = sheet.labels[from];
      for (let channel = 0; channel < 4; channel++) rgba[at * 4 + channel] = sheet.rgba[from * 4 + channel];
    }
  }
  return makeSheet(width, height, rgba, labels);
}

function largestFinite(weights: Weights): number {
  let found = 0;
  for (let index = 0; index < weights.length; index++) {
    const magnitude = Math.abs(weights[index]);
    if (magnitude > found && magnitude !== Infinity) found = magnitude;
  }
  return found;
}
