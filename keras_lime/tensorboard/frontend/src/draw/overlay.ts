// Weights + superpixels → pixels. Pure. Python's keras_lime.core.overlay draws the same bytes; change both or neither.

export type Rgb = readonly [number, number, number];
export type PaletteName = "green-red" | "blue-orange";

/** What weights are drawn over: the picture in light grey, so that all colour is weight; its own colours; nothing. */
export const GROUNDS = ["grey", "picture", "none"] as const;
export type Ground = (typeof GROUNDS)[number];

/** Of the strongest superpixel, on a pale grey ground, where a seventh of the scale shows and a twentieth does not. */
export const OPACITY = 0.9;
/** So many of the strongest superpixels get a rim. */
export const OUTLINED = 5;

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

/** Strength of a weight that its own error cannot tell from zero, as a share of what it would be drawn with. */
const FAINT = 0.35;
/** So many rims are drawn however small the weight; further ones from this share of the scale on. */
const SURE_RIMS = 3;
const RIM_FROM = 0.1;
const BLANK = 245;
const REST = 128;
const BORDER = 255;

/** A picture with its superpixels, prepared once: edges[i] is 1 where a 4-neighbour has another label. */
export interface LabelledPicture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
  readonly labels: Uint16Array;
  readonly edges: Uint8Array;
  /** Labels are below this. */
  readonly count: number;
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
  readonly ground: Ground;
  /** How many of the strongest superpixels get a rim in their colour. */
  readonly outlined: number;
  readonly hideRest: boolean;
  readonly style: "fill" | "outline";
}

type Weights = ArrayLike<number>;

/** What is doubtful about superpixels; anything but 0 marks one. */
export interface Marks {
  /** Weights that may well be zero. */
  readonly faint: ArrayLike<number> | null;
  /** Superpixels of which nothing is known, drawn with light and dark stripes. Their weights should be NaN. */
  readonly hatched: ArrayLike<number> | null;
}

export function makeLabelled(width: number, height: number, rgba: Uint8ClampedArray, labels: Uint16Array): LabelledPicture {
  let highest = -1;
  for (let pixel = 0; pixel < labels.length; pixel++) if (labels[pixel] > highest) highest = labels[pixel];
  return { width, height, rgba, labels, edges: findEdges(width, height, labels), count: highest + 1 };
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

/** Colours over a picture, written into `out` (RGBA, the labelled's size). */
export function drawOverlay(
  labelled: LabelledPicture,
  weights: Weights,
  drawing: Drawing,
  out: Uint8ClampedArray,
  marks: Marks | null = null,
): void {
  const { labels, edges, width } = labelled;
  const rgba = groundOf(labelled, drawing.ground);
  const looks = looksOf(weights, drawing, labelled.count, marks);
  const hatched = marks?.hatched ?? null;
  const period = Math.max(4, Math.floor(Math.min(labelled.height, width) / 12));
  const stripe = Math.floor(period / 4);
  const { boundaries } = drawing;
  for (let pixel = 0, at = 0; pixel < labels.length; pixel++, at += 4) {
    const look = labels[pixel] * LOOK;
    const keep = looks[look];
    // An untouched pixel has keep 1 and no tint, and stays itself.
    let red = Math.floor(rgba[at] * keep + looks[look + 1] + 0.5);
    let green = Math.floor(rgba[at + 1] * keep + looks[look + 2] + 0.5);
    let blue = Math.floor(rgba[at + 2] * keep + looks[look + 3] + 0.5);
    if (hatched !== null && hatched[labels[pixel]]) {
      const phase = (Math.floor(pixel / width) + (pixel % width)) % period;
      if (phase < 2 * stripe) {
        const shade = phase < stripe ? 255 : 0;
        red = mix(red, 0.5, shade);
        green = mix(green, 0.5, shade);
        blue = mix(blue, 0.5, shade);
      }
    }
    if (edges[pixel] === 1) {
      if (boundaries) {
        red = mix(red, 0.5, BORDER);
        green = mix(green, 0.5, BORDER);
        blue = mix(blue, 0.5, BORDER);
      }
      const rim = looks[look + 4];
      if (rim > 0) {
        red = mix(red, rim, looks[look + 5]);
        green = mix(green, rim, looks[look + 6]);
        blue = mix(blue, rim, looks[look + 7]);
      }
    }
    out[at] = red;
    out[at + 1] = green;
    out[at + 2] = blue;
    out[at + 3] = 255;
  }
}

/** Pictures in light grey and blank ones, by what they were made of. */
const grounds = new WeakMap<Uint8ClampedArray, Partial<Record<Ground, Uint8ClampedArray>>>();

/** The picture that weights are drawn over, RGBA; made once. */
function groundOf({ rgba }: LabelledPicture, ground: Ground): Uint8ClampedArray {
  if (ground === "picture") return rgba;
  let made = grounds.get(rgba);
  if (made === undefined) grounds.set(rgba, (made = {}));
  return (made[ground] ??= ground === "none" ? new Uint8ClampedArray(rgba.length).fill(BLANK) : pale(rgba));
}

/** Whole numbers, as Python reckons. Pale, so that colour shows on dark pictures too. */
function pale(rgba: Uint8ClampedArray): Uint8ClampedArray {
  const out = new Uint8ClampedArray(rgba.length);
  for (let at = 0; at < rgba.length; at += 4) {
    const luminance = (77 * rgba[at] + 150 * rgba[at + 1] + 29 * rgba[at + 2]) >> 8;
    out.fill(120 + ((luminance * 135) >> 8), at, at + 3);
  }
  return out;
}

function mix(below: number, alpha: number, above: number): number {
  return Math.floor(below * (1 - alpha) + above * alpha + 0.5);
}

/** Numbers a superpixel in the table of looks. */
const LOOK = 8;

/**
 * How each superpixel looks, worked out once so that the loop over pixels only looks up: the share of the picture that is
 * kept, the tint added to it (3), how strong its rim is (0 for none) and the rim's colour (3).
 */
function looksOf(weights: Weights, drawing: Drawing, count: number, marks: Marks | null): Float64Array {
  const looks = new Float64Array(LOOK * Math.max(count, weights.length));
  for (let look = 0; look < looks.length; look += LOOK) {
    looks.set(drawing.hideRest ? [0, REST, REST, REST] : [1, 0, 0, 0], look);
  }
  const [supporting, opposing] = PALETTES[drawing.palette];
  const scale = (drawing.scale ?? largestFinite(weights)) || 1;
  selectSegments(weights, drawing).forEach((index, place) => {
    const colour = weights[index] > 0 ? supporting : opposing;
    const share = marks?.faint?.[index] ? FAINT : 1;
    const filled = drawing.style === "fill";
    const alpha = filled ? drawing.opacity * Math.min(1, Math.abs(weights[index]) / scale) * share : 0;
    const telling = place < SURE_RIMS || Math.abs(weights[index]) >= RIM_FROM * scale;
    const rimmed = !filled || (place < drawing.outlined && telling && share === 1);
    looks.set([1 - alpha, ...colour.map((channel) => channel * alpha), rimmed ? share : 0, ...colour], index * LOOK);
  });
  return looks;
}

/** Every n-th pixel of a labelled whose longer side exceeds `limit`: a small copy for a small tile. */
export function shrinkLabelled(labelled: LabelledPicture, limit: number): LabelledPicture {
  const stride = Math.ceil(Math.max(labelled.width, labelled.height) / limit);
  if (stride <= 1) return labelled;
  const width = Math.ceil(labelled.width / stride);
  const height = Math.ceil(labelled.height / stride);
  const rgba = new Uint8ClampedArray(width * height * 4);
  const labels = new Uint16Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const from = y * stride * labelled.width + x * stride;
      labels[at] = labelled.labels[from];
      for (let channel = 0; channel < 4; channel++) rgba[at * 4 + channel] = labelled.rgba[from * 4 + channel];
    }
  }
  return makeLabelled(width, height, rgba, labels);
}

function largestFinite(weights: Weights): number {
  let found = 0;
  for (let index = 0; index < weights.length; index++) {
    const magnitude = Math.abs(weights[index]);
    if (magnitude > found && magnitude !== Infinity) found = magnitude;
  }
  return found;
}
