import assert from "node:assert/strict";
import { test } from "node:test";
import { allTargets, className, explainedAt, historyOf, snapshotAt, rowAt } from "../src/model/snapshot.ts";
import { commonClass, difference, otherSide, sameSegments, sharedProbes } from "../src/model/comparison.ts";
import { DEFAULT_VIEW } from "../src/model/view.ts";
import { makeSeries, MANIFEST, PROBE } from "./make.ts";

const near = (actual: ArrayLike<number>, expected: number[]): void => {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, index) => assert.ok(Math.abs(actual[index] - value) < 1e-6 || Object.is(actual[index], value)));
};

test("an epoch that was not explained is the last one before it", () => {
  assert.deepEqual([null, 0, 1, 2, 4, 5, 99, -1].map((step) => rowAt([0, 2, 5], step)), [2, 0, 0, 1, 1, 2, 2, -1]);
  assert.equal(rowAt([], null), -1);
});

test("the target follows the prediction, the label or one class", () => {
  const series = makeSeries();
  assert.deepEqual(snapshotAt(series, PROBE, 0, "predicted")!.shown!.target, 0);
  assert.deepEqual(snapshotAt(series, PROBE, 0, "label")!.shown!.target, 2);
  assert.deepEqual(snapshotAt(series, PROBE, 2, 1)!.shown!.target, 1);
  assert.equal(snapshotAt(series, PROBE, 0, 1)!.shown, null);
  assert.equal(snapshotAt(series, PROBE, -1, "label"), null);
});

test("a regression, and a probe without a label, show the first output explained", () => {
  const series = makeSeries({ predicted: Int32Array.of(-1, -1, -1) });
  const snapshot = snapshotAt(series, { ...PROBE, label: null }, 0, "predicted")!;
  assert.deepEqual([snapshot.predicted, snapshot.wrong, snapshot.shown!.target], [null, null, 2]);
  assert.equal(snapshotAt(series, { ...PROBE, label: null }, 0, "label")!.shown!.target, 2);
});

test("a snapshot has the numbers of its row and slot", () => {
  const snapshot = snapshotAt(makeSeries(), PROBE, 3, "predicted")!;
  assert.deepEqual([snapshot.step, snapshot.at, snapshot.wrong, snapshot.targets], [2, 1, true, [2, 1]]);
  near(snapshot.shown!.weights, [0.1, 0.11, 0.12]);
  near([snapshot.shown!.r2, snapshot.shown!.prediction, snapshot.shown!.objectShare], [0.8, 0.6, 0.4]);
});

test("a history is NaN where the class was not explained", () => {
  const { weights, stderr } = historyOf(makeSeries(), 1, 2);
  near(weights, [NaN, 0.12, NaN]);
  near(stderr, [NaN, 0.03, NaN]);
  near(historyOf(makeSeries({ stderr: null }), 2, 0).stderr, [NaN, NaN, NaN]);
  assert.deepEqual(allTargets(makeSeries()), [0, 1, 2]);
});

test("classes without a name have their number", () => {
  assert.equal(className(MANIFEST, 1), "yield");
  assert.equal(className(MANIFEST, 7), "class 7");
  assert.equal(className({ ...MANIFEST, class_names: null, output: "regression" }, 0), "output 0");
  assert.equal(className(MANIFEST, null), "–");
});

test("the other side is the other run at the same epoch, else the same run's first epoch", () => {
  const runs = ["a", "b", "c"].map((run) => ({ run, manifest: MANIFEST, notices: [], steps_hint: 3 }));
  const left = { run: "a", epoch: 7 };
  assert.deepEqual(otherSide(DEFAULT_VIEW, left, runs, 0), { run: "b", epoch: 7 });
  assert.deepEqual(otherSide(DEFAULT_VIEW, left, runs.slice(0, 1), 0), { run: "a", epoch: 0 });
  assert.deepEqual(otherSide({ ...DEFAULT_VIEW, otherRun: "c", otherEpoch: 3 }, left, runs, 0), { run: "c", epoch: 3 });
  assert.deepEqual(otherSide({ ...DEFAULT_VIEW, otherRun: "a" }, left, runs, 1), { run: "a", epoch: 1 });
});

test("probes are matched by id, in the order of the left", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => ({ ...PROBE, id }));
  assert.deepEqual(sharedProbes([c, a], [a, b, c]), [c, a]);
});

test("weights are subtracted where the superpixels are the same", () => {
  const map = { width: 2, height: 1, labels: Uint16Array.of(0, 1), objectMask: null, estimatedMask: null, objectFraction: null };
  assert.ok(sameSegments(map, { ...map, labels: Uint16Array.of(0, 1) }));
  assert.ok(!sameSegments(map, { ...map, labels: Uint16Array.of(1, 0) }));
  assert.ok(!sameSegments(map, { ...map, width: 1, height: 2 }));
  const series = makeSeries();
  const change = difference(explainedAt(series, 0, 2)!, explainedAt(series, 1, 2)!);
  near(change.weights, [0.06, 0.06, 0.06]);
  near(change.stderr!, [Math.hypot(0.0025, 0.0175), Math.hypot(0.005, 0.02), Math.hypot(0.0075, 0.0225)]);
});

test("two sides that predict differently are compared on the true class", () => {
  const series = makeSeries();
  const half = (step: number) => ({ series, snapshot: snapshotAt(series, PROBE, step, "predicted")! });
  assert.equal(commonClass(half(0), half(2), PROBE.label)!.left.target, 2);
  assert.equal(commonClass(half(5), half(5), PROBE.label)!.right.target, 2);
  const apart = makeSeries({ targets: Int32Array.of(0, -1, 1, -1, 1, -1) });
  const [left, right] = [0, 2].map((step) => ({ series: apart, snapshot: snapshotAt(apart, PROBE, step, "predicted")! }));
  assert.equal(commonClass(left, right, PROBE.label), null);
});
