import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeContainer } from "../src/data/container.ts";
import { decodeManifest, decodeNeighbours, decodeSeries, decodeSummary, decodeSwaps } from "../src/data/decode.ts";
import { SEGMENT_DIAGNOSTIC, SEGMENT_SENTENCES, TARGET_DIAGNOSTIC, TARGET_SENTENCES } from "../src/data/schema.ts";
import { alarmAt, alarmRows, blames, episodesOf, isTooEarly, readingTitle, ruleOf, stateOf, stretch, sureness } from "../src/model/alarms.ts";
import { curvesOf, laterFitsOf } from "../src/model/curves.ts";
import { agreementWords, targetSentences, flagged, segmentSentences, marksOf, wholeSentences } from "../src/model/diagnostics.ts";
import { makeExplained, makeSummary, MANIFEST, pack } from "./make.ts";

const READING = { test: "swap", subject: "", value: 0.5, stderr: 0.1, threshold: 0.25 };

const SUMMARY = decodeSummary(
  decodeContainer(
    pack(
      {
        steps: [Int32Array.of(0, 2, 3, 5), [4]],
        class_ids: [Int32Array.of(1), [1]],
        swap_flip: [Float32Array.of(0.9, 0.5, 0.1, 0.6), [4]],
        swap_flip_stderr: [Float32Array.of(0.1, 0.05, NaN, 0.1), [4]],
        class_swap_flip: [Float32Array.of(1, 0.5, 0, 0.5), [4, 1]],
        swap_chance: [Float32Array.of(0.25, 0.25, 0.25, 0.25), [4]],
        shortcut_counted: [Float32Array.of(0, 1, 1, NaN), [4]],
        occlusion_drop: [new Float32Array(32).fill(0.25), [4, 8]],
      },
      {
        shortcut: {
          alarms: [
            { step: 2, began: 0, words: "it reads the background", readings: [READING, { test: "occlusion", subject: "top border" }] },
            { step: 5, began: 5, words: "again" },
            "nonsense",
          ],
          unmeasured: ["one class has no probe"],
          cross_check: "no gradients",
        },
      },
    ),
  ),
);

test("the shortcut tests are read, with their alarms by epoch", () => {
  assert.deepEqual(Array.from(SUMMARY.overall.swap_flip), Array.from(Float32Array.of(0.9, 0.5, 0.1, 0.6)));
  assert.deepEqual(Object.keys(SUMMARY.errors), ["swap_flip"]);
  assert.equal(SUMMARY.shortcut.drops.length, 32);
  assert.deepEqual(SUMMARY.shortcut.unmeasured, ["one class has no probe"]);
  assert.equal(SUMMARY.shortcut.noGradients, "no gradients");
  assert.deepEqual(SUMMARY.shortcut.alarms[0].readings[0], READING);
  assert.deepEqual(SUMMARY.shortcut.alarms[0].readings[1], { test: "occlusion", subject: "top border", value: NaN, stderr: NaN, threshold: NaN });
  assert.deepEqual([0, 1, 3].map((row) => isTooEarly(SUMMARY.shortcut, row)), [true, false, false]);
});

test("a log without shortcut tests has none, and no alarm", () => {
  const old = makeSummary([0, 1], [4]);
  assert.deepEqual([old.shortcut.alarms, old.shortcut.unmeasured, old.shortcut.noGradients], [[], [], null]);
  assert.ok(old.overall.swap_flip.every(Number.isNaN));
  assert.deepEqual([episodesOf(old), alarmRows(old), alarmAt(old, 1)], [[], [false, false], null]);
  assert.deepEqual(Object.keys(old.errors), []);
});

test("alarms are unbroken stretches of epochs", () => {
  assert.deepEqual(alarmRows(SUMMARY), [false, true, false, true]);
  const episodes = episodesOf(SUMMARY);
  assert.deepEqual(episodes.map(({ from, to, last }) => [from, to, last.words]), [[2, 2, "it reads the background"], [5, 5, "again"]]);
  assert.deepEqual(episodes.map((episode) => stretch(episode, 5)), ["epoch 2", "epoch 5 on"]);
  assert.equal(stretch({ from: 1, to: 4 }, 9), "epochs 1 to 4");
  assert.equal(alarmAt(SUMMARY, 3), null);
});

test("a reading says which test fired and how sure it is", () => {
  assert.equal(sureness(READING), 2.5);
  assert.ok(Number.isNaN(sureness({ ...READING, stderr: NaN })));
  assert.equal(readingTitle(READING), "Background swap, all probes");
  assert.equal(readingTitle({ ...READING, test: "class swap", subject: "class stop" }), "Background swap, class stop");
  assert.equal(readingTitle({ ...READING, test: "occlusion", subject: "top border" }), "Hidden top border");
  assert.equal(readingTitle({ ...READING, subject: "any background" }), "Changes on any other background");
  assert.equal(readingTitle({ ...READING, test: "class markers", subject: "stop" }), "Small things off the object, stop");
  assert.equal(readingTitle({ ...READING, test: "later", subject: "x" }), "later x");
});

test("an alarm blames what its readings tested; without readings it may be either", () => {
  const alarm = { step: 1, began: 1, words: "", markers: [], readings: [READING] };
  const mark = { ...READING, test: "class occlusion" };
  assert.deepEqual(blames(alarm), { mark: false, background: true });
  assert.deepEqual(blames({ ...alarm, readings: [mark] }), { mark: true, background: false });
  assert.deepEqual(blames({ ...alarm, readings: [READING, { ...mark, test: "markers" }] }), { mark: true, background: true });
  assert.deepEqual(blames({ ...alarm, readings: [] }), { mark: true, background: true });
});

test("the rule judges by the reliance, in older logs by what changes", () => {
  const ruled = (shortcut: object | null): unknown => ruleOf(decodeManifest({ runs: [{ run: "a", manifest: { shortcut } }] }).runs[0].manifest!);
  assert.deepEqual(ruled({ reliance_threshold: 0.1, threshold: 0.5 }), { measure: "reliance", threshold: 0.1 });
  assert.deepEqual(ruled({ reliance_threshold: 0, threshold: 0.5 }), { measure: "reliance", threshold: 0 });
  assert.deepEqual(ruled({ threshold: 0.25 }), { measure: "swap_flip", threshold: 0.25 });
  assert.deepEqual(ruled(null), { measure: "swap_flip", threshold: NaN });
});

test("the swap's curve has its errors, its alarms and the level of guesses", () => {
  const { measured, chance } = curvesOf([{ run: "a", summary: SUMMARY }], "swap_flip", null);
  assert.deepEqual(measured[0].alarms, [1, 3]);
  assert.ok(Math.abs(measured[0].errors[1] - 0.05) < 1e-6);
  assert.deepEqual(chance[0].values, [0.75, 0.75, 0.75, 0.75]);
  const byClass = curvesOf([{ run: "a", summary: SUMMARY }], "swap_flip", 1);
  assert.deepEqual(byClass.measured[0].values, [1, 0.5, 0, 0.5]);
  assert.ok(byClass.measured[0].errors.every(Number.isNaN));
  assert.deepEqual(curvesOf([{ run: "b", summary: makeSummary([0], []) }], "swap_flip", null).chance, []);
});

test("swapped pictures without their bytes are left out", () => {
  const pair = { probe: "a", donor: "b", name: "stop 1", label: 0, before: 0, before_value: 0.9, after: 2, after_value: 0.8 };
  const swaps = decodeSwaps(
    decodeContainer(pack({ picture_1: [Uint8Array.of(137, 80), [2]] }, { step: 3, steps: [0, 3], pairs: [pair, { ...pair, donor: "c" }] })),
  );
  assert.deepEqual([swaps.step, swaps.steps], [3, [0, 3]]);
  assert.deepEqual(swaps.pairs, [
    { probe: "a", donor: "c", name: "stop 1", label: 0, before: 0, beforeValue: 0.9, after: 2, afterValue: 0.8, picture: "data:image/png;base64,iVA=" },
  ]);
  assert.deepEqual(decodeSwaps(decodeContainer(pack({}, { step: null, pairs: "nonsense" }))), { step: null, steps: [], pairs: [] });
});

test("nearest training images are sorted by probe, those without their bytes left out", () => {
  const pair = { probe: "a", picture: 0, label: 2, similarity: 0.9 };
  const { step, byProbe } = decodeNeighbours(
    decodeContainer(
      pack(
        { picture_0: [Uint8Array.of(137, 80), [2]], picture_1: [Uint8Array.of(255, 216), [2]] },
        { step: 3, steps: [3], pairs: [pair, { ...pair, picture: 1, label: null, similarity: 0.5 }, { ...pair, picture: 9 }, "nonsense"] },
      ),
    ),
  );
  assert.equal(step, 3);
  assert.deepEqual(byProbe.get("a"), [
    { label: 2, similarity: 0.9, picture: "data:image/png;base64,iVA=" },
    { label: null, similarity: 0.5, picture: "data:image/jpeg;base64,/9g=" },
  ]);
});

test("further fits begin behind the first", () => {
  assert.deepEqual([laterFitsOf(null), laterFitsOf({ fits: null }), laterFitsOf({ fits: [0] }), laterFitsOf({ fits: [0, 3, 5] })], [[], [], [], [3, 5]]);
});

test("no alarm is said only where a test could speak", () => {
  const { manifest } = decodeManifest({ runs: [{ run: "a", manifest: { shortcut: { reliance_threshold: 0.1 } } }] }).runs[0];
  const said = (statuses: unknown[], reliance: number, tests: unknown[] = []): string => {
    const answer = pack(
      { steps: [Int32Array.of(0), [1]], reliance: [Float32Array.of(reliance), [1]] },
      { shortcut: { statuses, tests } },
    );
    return stateOf(manifest!, decodeSummary(decodeContainer(answer)), 0);
  };
  assert.deepEqual(
    [said(["passed"], 0), said(["cannot say"], 0), said(["not tested"], NaN), said([null], 0.05), said([null], NaN), said([], NaN)],
    ["no alarm", "cannot say", "not tested", "no alarm", "not tested", "not tested"],
  );
});

test("every test's status is read", () => {
  const tests = [[{ test: "swap", title: "objects", status: "passed" }, { status: 7, reason: "why" }, "nonsense"], "nonsense"];
  const summary = decodeSummary(decodeContainer(pack({ steps: [Int32Array.of(0, 1), [2]], passes: [Float32Array.of(9, NaN), [2]] }, { shortcut: { tests } })));
  assert.deepEqual(summary.shortcut.tests, [
    [
      { test: "swap", title: "objects", status: "passed", reason: "", remedy: "" },
      { test: "test", title: "test", status: "not tested", reason: "why", remedy: "" },
    ],
    [],
  ]);
  assert.equal(summary.passes[0], 9);
  assert.ok(Number.isNaN(summary.epochShare[0]));
});

test("a manifest's sentences and settings are read, whatever else it holds", () => {
  const { runs } = decodeManifest({
    runs: [
      {
        run: "a",
        manifest: {
          flags: { 1: "sign", x: "no bit", 2: 7 },
          shortcut: { threshold: 0.25, patience: 2, swap: true, n_swapped: 9, n_donors: 4, unmeasured: ["why"] },
        },
      },
      { run: "old", manifest: {} },
    ],
  });
  // Where the log has no sentence of its own, the general one stands.
  assert.deepEqual([...runs[0].manifest!.flags], [...new Map([...SEGMENT_SENTENCES, [1, "sign"]])]);
  assert.deepEqual(runs[0].manifest!.shortcut!.unmeasured, ["why"]);
  assert.equal(runs[0].manifest!.shortcut!.swapped, 9);
  assert.deepEqual([runs[1].manifest!.shortcut, runs[1].manifest!.caveats], [null, TARGET_SENTENCES]);
});

test("what cannot be judged has no weight, and does not set the scale", () => {
  const series = decodeSeries(
    decodeContainer(
      pack({
        steps: [Int32Array.of(0), [1]],
        targets: [Int32Array.of(3), [1, 1]],
        coef: [Float32Array.of(0.25, 9, -0.5), [1, 1, 3]],
        flags: [Uint8Array.of(SEGMENT_DIAGNOSTIC.signFlips, SEGMENT_DIAGNOSTIC.blind, 0), [1, 1, 3]],
        group: [Int32Array.of(1), [1]],
      }),
    ),
  );
  assert.deepEqual(Array.from(series.coef), [0.25, NaN, -0.5]);
  assert.equal(series.scale, 0.5);
  assert.deepEqual([series.caveats, series.agreement, Array.from(series.group!)], [null, null, [1]]);
});

test("superpixels are marked as Python marks them", () => {
  const explained = makeExplained({
    weights: Float32Array.of(0.1, NaN, -0.5),
    stderr: Float32Array.of(0.1, 0.1, 0.1),
    flags: Uint8Array.of(1, 2, 0),
  });
  assert.deepEqual(marksOf(explained), { faint: [1, 0, 0], hatched: [0, 2, 0] });
  assert.deepEqual(marksOf(makeExplained()), { faint: null, hatched: null });
  assert.deepEqual([flagged(explained, SEGMENT_DIAGNOSTIC.signFlips), flagged(makeExplained(), 7)], [[0], []]);
  assert.deepEqual(segmentSentences(MANIFEST, explained, 1), ["Cannot be judged: it looks the same."]);
  assert.deepEqual(segmentSentences(MANIFEST, explained, 2), []);
});

test("of weights on the log-odds the fit is their own", () => {
  const { poorFit, saturated } = TARGET_DIAGNOSTIC;
  const said = (r2: number, caveats: number): number => wholeSentences(MANIFEST, makeExplained({ logOdds: true, r2, caveats })).length;
  assert.deepEqual([said(0.6, poorFit | saturated), said(0.1, saturated), said(0.1, 0)], [0, 1, 1]);
  assert.equal(wholeSentences(MANIFEST, makeExplained({ r2: 0.1, caveats: poorFit })).length, 1);
});

test("caveats are the log's sentences with the numbers in them", () => {
  const flags = Uint8Array.of(2, 0, 2, 2, 2, 2, 2);
  const explained = makeExplained({ weights: new Float32Array(7), flags, caveats: 1 | 16 | 64, r2: 0.084, agreement: 0.314 });
  assert.deepEqual(targetSentences(MANIFEST, explained), [
    "R² is below 0.2 (0.08): a poor fit.",
    "Some superpixels cannot be judged with this baseline (6 of 7: 0, 2, 3, 4, 5, …).",
    "The second baseline disagrees (rank agreement 0.31): it depends.",
  ]);
  assert.deepEqual(targetSentences(MANIFEST, makeExplained()), []);
  assert.notEqual(agreementWords(0.9), agreementWords(0.5));
  assert.notEqual(agreementWords(0.5), agreementWords(-0.2));
});
