import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeContainer } from "../src/data/container.ts";
import { decodeManifest, decodeSegments, decodeSeries, decodeSummary } from "../src/data/decode.ts";
import { pack } from "./make.ts";

test("a manifest survives missing, foreign and wrong entries", () => {
  const manifest = decodeManifest({
    runs: [
      { run: "a/lime", manifest: { probes: [{ id: "1" }, "nonsense", { id: "2", name: "<b>", label: 3, chance: 0.1, extra: 1 }] } },
      { run: "b/lime", manifest: null, notices: ["newer record"], steps_hint: 4 },
    ],
    later: true,
  });
  const [first, second] = manifest.runs;
  assert.deepEqual(
    first.manifest!.probes.map(({ name, label, chance }) => [name, label, chance]),
    [
      ["1", null, null],
      ["<b>", 3, 0.1],
    ],
  );
  assert.equal(first.manifest!.class_names, null);
  assert.deepEqual([second.manifest, second.notices, second.steps_hint], [null, ["newer record"], 4]);
  assert.throws(() => decodeManifest([]), /"runs"/);
});

test("a summary has NaN for what was not measured", () => {
  const summary = decodeSummary(
    decodeContainer(
      pack({
        steps: [Int32Array.of(0, 3), [2]],
        class_ids: [Int32Array.of(1, 4), [2]],
        object_share: [Float32Array.of(0.5, 0.25), [2]],
        class_object_share: [Float32Array.of(0.1, 0.2, 0.3, NaN), [2, 2]],
      }),
    ),
  );
  assert.deepEqual(summary.steps, [0, 3]);
  assert.deepEqual(summary.classIds, [1, 4]);
  assert.deepEqual(Array.from(summary.overall.object_share), [0.5, 0.25]);
  assert.deepEqual(Array.from(summary.overall.r2), [NaN, NaN]);
  assert.equal(summary.perClass.object_share.length, 4);
  assert.ok(summary.classChance.every(Number.isNaN));
});

test("a series has one scale over all epochs and targets, blind to NaN", () => {
  const container = decodeContainer(
    pack(
      {
        steps: [Int32Array.of(0, 1), [2]],
        targets: [Int32Array.of(3, -1), [2, 1]],
        coef: [Float32Array.of(0.1, -0.75, NaN, 0.5), [2, 1, 2]],
      },
      { notices: ["1 step left out"] },
    ),
  );
  const series = decodeSeries(container);
  assert.equal(series.scale, 0.75);
  assert.deepEqual([series.slots, series.segments, series.stderr, series.objectShare], [1, 2, null, null]);
  assert.deepEqual(Array.from(series.predicted), [-1, -1]);
  assert.deepEqual(series.notices, ["1 step left out"]);
  assert.throws(
    () => decodeSeries(decodeContainer(pack({ steps: [Int32Array.of(0, 1), [2]], coef: [new Float32Array(2), [1, 1, 2]] }))),
    /"coef" must have shape \(2, 1, 2\)\. Received: \(1, 1, 2\)/,
  );
});

test("a run without any epoch is an empty series", () => {
  const series = decodeSeries(decodeContainer(pack({ steps: [new Int32Array(0), [0]], coef: [new Float32Array(0), [0, 0, 0]] })));
  assert.deepEqual([series.steps.length, series.slots, series.scale], [0, 0, 1]);
});

test("segments need labels, masks are optional", () => {
  const labels: [Uint16Array, number[]] = [Uint16Array.of(0, 1, 1, 2), [2, 2]];
  const segments = decodeSegments(decodeContainer(pack({ labels })));
  assert.deepEqual([segments.width, segments.height, segments.objectMask], [2, 2, null]);
  assert.throws(() => decodeSegments(decodeContainer(pack({}))), /labels/);
  assert.throws(() => decodeSegments(decodeContainer(pack({ labels, object_mask: [new Uint8Array(3), [3]] }))), /object_mask/);
});
