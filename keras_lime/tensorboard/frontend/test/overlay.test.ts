import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { outlinePath } from "../src/draw/outline.ts";
import { type Drawing, drawOverlay, makeLabelled, type Marks, selectSegments, type LabelledPicture, shrinkLabelled } from "../src/draw/overlay.ts";

const PLAIN: Drawing = {
  positive: true,
  negative: true,
  numFeatures: null,
  minWeight: 0,
  opacity: 0.7,
  scale: null,
  palette: "green-red",
  boundaries: false,
  ground: "picture",
  outlined: 0,
  hideRest: false,
  style: "fill",
};

/** Four superpixels, a column each: a picture of four equal pixels. */
function columns(grey = 100): LabelledPicture {
  const rgba = Uint8ClampedArray.from([0, 1, 2, 3].flatMap(() => [grey, grey, grey, 255]));
  return makeLabelled(4, 1, rgba, Uint16Array.of(0, 1, 2, 3));
}

function draw(labelled: LabelledPicture, weights: ArrayLike<number>, change: Partial<Drawing>, marks: Marks | null = null): number[][] {
  const out = new Uint8ClampedArray(labelled.rgba.length);
  drawOverlay(labelled, weights, { ...PLAIN, ...change }, out, marks);
  return Array.from({ length: out.length / 4 }, (_, pixel) => Array.from(out.subarray(pixel * 4, pixel * 4 + 3)));
}

const WEIGHTS = Float32Array.of(0.5, -1, 0, NaN);

test("superpixels are selected by strength, sign, number and least weight; equals by index", () => {
  const weights = [0.5, -1, 0, NaN, 0.5, -0.1];
  assert.deepEqual(selectSegments(weights, PLAIN), [1, 0, 4, 5]);
  assert.deepEqual(selectSegments(weights, { ...PLAIN, negative: false }), [0, 4]);
  assert.deepEqual(selectSegments(weights, { ...PLAIN, positive: false, numFeatures: 1 }), [1]);
  assert.deepEqual(selectSegments(weights, { ...PLAIN, minWeight: 0.5 }), [1, 0, 4]);
  assert.deepEqual(selectSegments(weights, { ...PLAIN, numFeatures: 2 }), [1, 0]);
});

test("the strongest weight has the full opacity, half of it half; zero and NaN leave the picture alone", () => {
  const [half, full, zero, nan] = draw(columns(), WEIGHTS, { opacity: 1 });
  assert.deepEqual(full, [214, 39, 40]);
  assert.deepEqual(half, [50, 129, 80]);
  assert.deepEqual([zero, nan], [[100, 100, 100], [100, 100, 100]]);
});

test("a given scale holds for weights beyond it too", () => {
  assert.deepEqual(draw(columns(), WEIGHTS, { opacity: 1, scale: 0.5 })[0], [0, 158, 60]);
  assert.deepEqual(draw(columns(), WEIGHTS, { opacity: 1, scale: 0.5 })[1], [214, 39, 40]);
});

test("the rest can be hidden, the other palette taken", () => {
  const drawn = draw(columns(), WEIGHTS, { hideRest: true, negative: false, opacity: 1, scale: 0.5, palette: "blue-orange" });
  assert.deepEqual(drawn, [[33, 102, 204], [128, 128, 128], [128, 128, 128], [128, 128, 128]]);
});

test("an outline colours rims only and wins over borders", () => {
  const labelled = makeLabelled(3, 1, new Uint8ClampedArray(12).fill(100), Uint16Array.of(0, 0, 1));
  assert.deepEqual(draw(labelled, [1, 0], { style: "outline", boundaries: true }), [[100, 100, 100], [0, 158, 60], [178, 178, 178]]);
});

test("a weight that may be zero is faint, what cannot be judged is striped", () => {
  const [full, , striped] = draw(columns(), [0.5, 0, NaN, 0], { opacity: 1 }, { faint: [1, 0, 0, 0], hatched: [0, 0, 1, 0] });
  assert.deepEqual(full, [65, 120, 86]);
  assert.deepEqual(striped, [100, 100, 100]);
  const stripes = draw(columns(), [NaN, NaN, NaN, NaN], {}, { faint: null, hatched: [1, 1, 1, 1] });
  assert.deepEqual(
    stripes.map(([red]) => red),
    [178, 50, 100, 100],
  );
});

test("weights without superpixels and superpixels without weights do no harm", () => {
  assert.deepEqual(draw(columns(), [], {})[3], [100, 100, 100]);
  assert.deepEqual(draw(columns(), [1, 1, 1, 1, 1], { opacity: 1 })[0], [0, 158, 60]);
});

test("Python draws the same bytes", () => {
  interface Case {
    picture: number[];
    labels: number[];
    width: number;
    height: number;
    weights: (number | null)[];
    drawing: Drawing;
    hatched?: number[];
    faint?: number[];
    expected: number[];
  }
  const cases = JSON.parse(readFileSync("test/overlay.golden.json", "utf8")) as Case[];
  assert.ok(cases.length >= 12);
  for (const { picture, labels, width, height, weights, drawing, hatched, faint, expected } of cases) {
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    picture.forEach((value, index) => (rgba[Math.floor(index / 3) * 4 + (index % 3)] = value));
    const labelled = makeLabelled(width, height, rgba, Uint16Array.from(labels));
    const drawn = draw(labelled, weights.map((weight) => weight ?? NaN), drawing, {
      hatched: hatched ?? null,
      faint: faint ?? null,
    });
    assert.deepEqual(drawn.flat(), expected, JSON.stringify(drawing));
  }
});

test("a large labelled shrinks by whole strides, a small one stays", () => {
  const labels = Uint16Array.from({ length: 40 }, (_, index) => (index % 10 < 5 ? 0 : 1));
  const labelled = makeLabelled(10, 4, new Uint8ClampedArray(160).fill(7), labels);
  const small = shrinkLabelled(labelled, 5);
  assert.deepEqual([small.width, small.height], [5, 2]);
  assert.deepEqual(Array.from(small.labels), [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
  assert.equal(shrinkLabelled(labelled, 10), labelled);
});

test("the rim of a superpixel runs between its pixels and all others", () => {
  const labels = Uint16Array.of(0, 1, 0, 0);
  assert.equal(outlinePath({ width: 2, height: 2, labels }, 1), "M1 0h1M1 0v1M2 0v1M1 1h1");
  assert.equal(outlinePath({ width: 2, height: 2, labels }, 9), "");
});
