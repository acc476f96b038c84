import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_VIEW, formatView, parseView, type View, withView } from "../src/model/view.ts";

const FULL: View = {
  page: "compare",
  probe: "a1/ü",
  run: 'odd & "name"=<x> 100%/lime',
  epoch: 0,
  otherRun: "b",
  otherEpoch: -1,
  runs: ["a,b", "c&d"],
  measure: "r2",
  target: 0,
  sign: "negative",
  features: 5,
  minWeight: 0.05,
  opacity: 0,
  borders: true,
  hideRest: true,
  ground: "none",
  scaleOf: "all",
  basis: "logit",
  style: "outline",
  palette: "blue-orange",
  sort: "share",
  onlyClass: 0,
  onlyPredicted: 2,
  search: "stop & go",
  pinned: ["a"],
  wrongOnly: true,
  maxShare: 0.5,
  size: "large",
};

test("every part of the view comes back from the address", () => {
  assert.deepEqual(parseView(formatView(FULL)), FULL);
  for (const key of Object.keys(FULL) as (keyof View)[]) {
    assert.notDeepEqual(FULL[key], DEFAULT_VIEW[key], `${key} must differ from its default to be tested`);
  }
});

test("the default view leaves no trace", () => {
  assert.equal(formatView(DEFAULT_VIEW), "");
  assert.deepEqual(parseView(""), DEFAULT_VIEW);
  assert.deepEqual(parseView("#keras_lime"), DEFAULT_VIEW);
});

test("nonsense in the address is the default, not an error", () => {
  const hash =
    "#keras_lime&lime_epoch=soon&lime_features=0&lime_opacity=7&lime_sign=maybe&lime_runs={&lime_page=&lime_size=large" +
    "&lime_future=1&lime_target=-3&lime_run=%E0%A4%A&other=2&lime_constructor=1";
  assert.deepEqual(parseView(hash), { ...DEFAULT_VIEW, size: "large", run: "%E0%A4%A" });
});

test("TensorBoard's own part of the address stays", () => {
  const hash = withView("#keras_lime&smoothing=0.5&lime_epoch=9", { ...DEFAULT_VIEW, run: "a b" });
  assert.equal(hash, "keras_lime&smoothing=0.5&lime_run=a%20b");
  assert.equal(withView("#keras_lime&lime_run=x", DEFAULT_VIEW), "keras_lime");
  assert.equal(withView("", { ...DEFAULT_VIEW, epoch: 3 }), "lime_epoch=3");
});
