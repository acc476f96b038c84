import assert from "node:assert/strict";
import { test } from "node:test";
import { boxAround, boxBetween, boxesJson, grown, moved } from "../src/model/boxes.ts";
import { cutPatch } from "../src/draw/patch.ts";
import { lineColour } from "../src/ui/colours.ts";
import { scaleFor } from "../src/model/scaleFor.ts";
import { makeLabelled } from "../src/draw/overlay.ts";
import { makeSeries } from "./make.ts";

const SIZE = { width: 20, height: 10 };

test("a box has whole pixels inside the picture, whichever corner it was begun at", () => {
  assert.deepEqual(boxBetween([8.6, 15.2], [2.4, -3], SIZE), [2, 0, 9, 15]);
  assert.deepEqual(boxBetween([0, 0], [99, 99], SIZE), [0, 0, 10, 20]);
  assert.equal(boxBetween([3, 3], [3.4, 9], SIZE), null);
});

test("the box around a mask holds all of it", () => {
  const mask = new Uint8Array(200);
  for (const at of [2 * 20 + 7, 5 * 20 + 3]) mask[at] = 1;
  assert.deepEqual(boxAround(mask, SIZE), [2, 3, 6, 8]);
  assert.equal(boxAround(new Uint8Array(200), SIZE), null);
});

test("boxes move and grow as far as the picture goes, and never vanish", () => {
  assert.deepEqual(moved([1, 2, 5, 6], -9, 99, SIZE), [0, 16, 4, 20]);
  assert.deepEqual(grown([1, 2, 5, 6], 99, -99, SIZE), [1, 2, 10, 4]);
});

test("what is saved names its version and the probes", () => {
  const saved = JSON.parse(boxesJson(new Map([["a", [[0, 1, 2, 3]] as const]]))) as unknown;
  assert.deepEqual(saved, { version: 1, boxes: { a: [[0, 1, 2, 3]] } });
});

test("a patch keeps the colours of its superpixel and pales the rest", () => {
  const labels = Uint16Array.from({ length: 64 }, (_, at) => (at === 27 || at === 28 ? 1 : 0));
  const labelled = makeLabelled(8, 8, new Uint8ClampedArray(256).fill(35), labels);
  const patch = cutPatch(labelled, 1)!;
  assert.deepEqual([patch.width, patch.height], [6, 5]);
  assert.deepEqual([patch.rgba[(2 * 6 + 2) * 4], patch.rgba[0]], [35, 185]);
  assert.equal(cutPatch(labelled, 7), null);
});

test("colours of many runs differ", () => {
  const colours = Array.from({ length: 40 }, (_, index) => lineColour(index));
  assert.equal(new Set(colours).size, 40);
});

test("the scale is the image's, the probe's or that of all", () => {
  const explained = { weights: Float32Array.of(0.1, -0.4, NaN), logOdds: false };
  const series = [makeSeries({ scale: 0.5 }), makeSeries({ scale: 0.75 })];
  const overall = { probability: 0.9, logOdds: 3 };
  assert.ok(Math.abs(scaleFor("image", explained, series, overall)! - 0.4) < 1e-6);
  assert.equal(scaleFor("probe", explained, series, overall), 0.75);
  assert.equal(scaleFor("all", explained, series, overall), 0.9);
  assert.equal(scaleFor("all", { ...explained, logOdds: true }, series, overall), 3);
  assert.equal(scaleFor("image", null, series, overall), null);
});
