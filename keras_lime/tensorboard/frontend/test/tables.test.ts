import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName, toCsv } from "../src/model/csv.ts";
import { curvesOf, measuresOf, type RunSummary } from "../src/model/curves.ts";
import { snapshotAt } from "../src/model/snapshot.ts";
import { decimal, isFaint, percent, percentWithError, probability, signed } from "../src/model/numbers.ts";
import { comparisonTable, curvesTable, overviewTable, weightsTable } from "../src/model/tables.ts";
import { confusionOf, filterTiles, labelsOf, listedNumbers, meansOf, type ProbeNumbers, sortTiles, type Tile } from "../src/model/tiles.ts";
import { linear, linePath, nearest, niceTicks } from "../src/draw/scale.ts";
import { makeExplained, makeSeries, makeSummary, MANIFEST, PROBE } from "./make.ts";
import type { Explained } from "../src/model/snapshot.ts";

test("cells are quoted where they must be, and never become formulas", () => {
  const csv = toCsv(["a", "b"], [["x,y", 'say "hi"'], [NaN, null], ["=1+1", "line\nbreak"], [-0.5, true]]);
  assert.equal(csv, 'a,b\r\n"x,y","say ""hi"""\r\n,\r\n\'=1+1,"line\nbreak"\r\n-0.5,true\r\n');
});

test("file names hold what file systems take", () => {
  assert.equal(fileName(["lime", "a/b:c", 'x"<>', 3], "csv"), "lime_a-b-c_x-_3.csv");
  assert.equal(fileName(["///"], "png"), "lime.png");
  assert.equal(fileName(["größe 🛑 日本"], "png"), "größe-日本.png");
});

test("numbers are written for people", () => {
  assert.deepEqual([0, 0.0001, 0.004, 0.5, 1, NaN, null].map(percent), ["0 %", "< 0.1 %", "0.4 %", "50 %", "100 %", "–", "–"]);
  assert.deepEqual([0.9999, 1, 0.5].map(probability), ["> 99 %", "100 %", "50 %"]);
  assert.deepEqual([0, 0.1234, -0.00012345, 1234.5].map(decimal), ["0", "0.123", "−1.2e−4", "1235"]);
  assert.deepEqual([0.5, -0.5, 0].map(signed), ["+0.500", "−0.500", "0"]);
});

test("a share has its error behind it, in one unit", () => {
  assert.deepEqual(
    [percentWithError(0.69, 0.07), percentWithError(0.69, NaN), percentWithError(NaN, 0.1), percentWithError(1, 0)],
    ["69 ± 7 %", "69 %", "–", "100 ± 0 %"],
  );
});

test("a weight within two standard errors of zero is faint; without an error none is", () => {
  assert.deepEqual([isFaint(0.1, 0.05), isFaint(-0.11, 0.05), isFaint(0, null), isFaint(0, NaN), isFaint(0.1, 0)], [
    true,
    false,
    false,
    false,
    false,
  ]);
});

const explained = (objectShare: number, r2: number): Explained => makeExplained({ objectShare, r2 });

const numbers = (change: Partial<ProbeNumbers>): ProbeNumbers => ({
  predicted: 1,
  value: 0.5,
  wrong: false,
  share: NaN,
  r2: NaN,
  weight: NaN,
  change: NaN,
  flips: 0,
  ...change,
});

const TILES: Tile[] = [
  {
    probe: { ...PROBE, id: "a", name: "n10", label: 1 },
    numbers: numbers({ share: 0.4, r2: 0.9, value: 0.6, weight: 0.1, change: 0.3 }),
  },
  {
    probe: { ...PROBE, id: "b", name: "n9", label: 0 },
    numbers: numbers({ wrong: true, share: 0.1, r2: 0.2, value: 0.99, weight: 0.7, change: 0.1, flips: 3 }),
  },
  { probe: { ...PROBE, id: "c", name: "n1", label: null }, numbers: numbers({ predicted: 2, wrong: null, value: 0.7 }) },
  { probe: { ...PROBE, id: "d", name: "n2", label: 1 }, numbers: null },
];

const ids = (tiles: readonly Tile[]): string => tiles.map(({ probe }) => probe.id).join("");

test("tiles are sorted lowest first, the unknown last", () => {
  const orders = { given: "abcd", name: "cdba", share: "bacd", wrong: "bacd", r2: "bacd", certainty: "acbd", weight: "bacd", change: "abcd", flips: "bacd" } as const;
  for (const [sort, order] of Object.entries(orders)) {
    assert.equal(ids(sortTiles(TILES, sort as keyof typeof orders)), order, sort);
  }
});

test("tiles are filtered by class, by wrong and by object share; the unknown waits", () => {
  const all = { onlyClass: null, onlyPredicted: null, wrongOnly: false, maxShare: 1, search: "" };
  const left = (change: Partial<typeof all> | { onlyClass: number } | { onlyPredicted: number }): string =>
    ids(filterTiles(TILES, { ...all, ...change }, (id) => `kind ${id}`));
  assert.equal(left({}), "abcd");
  assert.equal(left({ onlyClass: 1 }), "ad");
  assert.equal(left({ onlyPredicted: 2 }), "cd");
  assert.equal(left({ wrongOnly: true }), "bd");
  assert.equal(left({ maxShare: 0.2 }), "bd");
  assert.equal(left({ search: "N1" }), "ac");
  assert.equal(left({ search: "kind 0 n9" }), "b");
  assert.deepEqual(labelsOf(TILES.map(({ probe }) => probe)), [0, 1]);
});

test("pinned probes stand first", () => {
  assert.equal(ids(sortTiles(TILES, "share", ["d", "a"])), "adbc");
});

test("figures are of the tiles that are given; mistakes are counted by class", () => {
  const means = meansOf(TILES);
  assert.deepEqual([means.accuracy, means.share, means.r2, means.chance], [0.5, 0.25, 0.55, 0.25]);
  assert.ok(Number.isNaN(meansOf([]).accuracy));
  assert.deepEqual(
    [...confusionOf(TILES)].map(([label, row]) => [label, [...row]]),
    [
      [1, [[1, 1]]],
      [0, [[1, 1]]],
    ],
  );
});

test("the summary lists every probe's numbers, its changes and flips", () => {
  const probes = [PROBE, { ...PROBE, id: "b", label: null }];
  const columns = {
    predicted: Int32Array.of(2, 0, 1, 0, 2, 0),
    value: Float32Array.of(0.5, 0.25, 0.75, 0.5, 1, 0.5),
    share: null,
    weight: null,
    r2: null,
  };
  const [first, second] = listedNumbers(makeSummary([0, 1, 2], [], { probes: columns }), probes, 2)!;
  assert.deepEqual([first.predicted, first.wrong, first.flips, first.change], [2, false, 2, 1.75]);
  assert.deepEqual([second.wrong, second.flips, second.change], [null, 0, 0]);
  assert.equal(listedNumbers(makeSummary([0], []), probes, 0), null);
  assert.equal(listedNumbers(makeSummary([0, 1, 2], [], { probes: columns }), [PROBE], 2), null);
});

function summary(run: string, steps: number[], share: number[], chance: number): RunSummary {
  const bare = makeSummary(steps, [4]);
  const overall = { ...bare.overall, object_share: Float32Array.from(share) };
  const perClass = { ...bare.perClass, object_share: Float32Array.from(share.map((value) => value / 2)) };
  const level = new Float32Array(steps.length).fill(chance);
  const errors = { object_share: new Float32Array(steps.length).fill(0.125) };
  return { run, summary: makeSummary(steps, [4], { overall, perClass, errors, chance: level, classChance: level }) };
}

test("curves of several runs share an axis; equal chance levels are one curve", () => {
  const runs = [summary("a", [0, 2], [0.5, 0.75], 0.25), summary("b", [1, 2], [0.25, NaN], 0.25)];
  const curves = curvesOf(runs, "object_share", null);
  assert.deepEqual(curves.steps, [0, 1, 2]);
  assert.deepEqual(curves.measured.map(({ values }) => values), [
    [0.5, null, 0.75],
    [null, 0.25, null],
  ]);
  assert.equal(curves.chance.length, 1);
  assert.equal(curvesOf([...runs, summary("c", [0], [0.1], 0.5)], "object_share", null).chance.length, 2);
  assert.deepEqual(curvesOf(runs, "object_share", 4).measured[0].values, [0.25, null, 0.375]);
  assert.deepEqual(curvesOf(runs, "object_share", 9).measured, []);
  assert.deepEqual(curvesOf(runs, "r2", null), { steps: [0, 1, 2], measured: [], chance: [] });
  assert.deepEqual(measuresOf(runs), ["object_share"]);
  assert.deepEqual(curvesTable(runs.slice(0, 1), MANIFEST, "object_share").rows, [
    ["a", null, 0, 0.5, 0.125, 0.25],
    ["a", null, 2, 0.75, 0.125, 0.25],
    ["a", "class 4", 0, 0.25, NaN, 0.25],
    ["a", "class 4", 2, 0.375, NaN, 0.25],
  ]);
});

test("tables have a row a probe, or a row a superpixel and epoch", () => {
  const series = makeSeries();
  const snapshot = snapshotAt(series, PROBE, 2, "label");
  const overview = overviewTable("run", MANIFEST, [{ probe: PROBE, snapshot }, { probe: PROBE, snapshot: null }]);
  assert.deepEqual(overview.rows[0].slice(0, 6), ["run", 2, "sign 1", "a", "speed", "yield"]);
  assert.equal(overview.rows[1].length, overview.header.length);
  const weights = weightsTable("run", MANIFEST, PROBE, series, 1, Float32Array.of(0, 0.5, 1));
  assert.equal(weights.rows.length, 3);
  assert.deepEqual(weights.rows[2].slice(0, 6), ["run", "sign 1", "a", 2, "yield", 2]);
  assert.deepEqual(weights.rows[2].slice(9), ["", 1]);
  const common = { left: explained(0, 0), right: { ...explained(0, 0), weights: Float32Array.of(1, 2, 3) } };
  const table = comparisonTable(MANIFEST, [{ probe: PROBE, common }, { probe: PROBE, common: null }]);
  assert.deepEqual(table.rows.map((row) => row.slice(3)), [
    [0, 0, 1, 1, "probability"],
    [1, 0, 2, 2, "probability"],
    [2, 0, 3, 3, "probability"],
  ]);
});

test("ticks are round, few and inside", () => {
  assert.deepEqual(niceTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(niceTicks(-0.13, 0.31, 5), [-0.1, 0, 0.1, 0.2, 0.3]);
  assert.deepEqual(niceTicks(0, 3, 10, true), [0, 1, 2, 3]);
  assert.deepEqual(niceTicks(0, 499, 8, true), [0, 100, 200, 300, 400]);
  assert.deepEqual(niceTicks(7, 7, 5, true), [7]);
});

test("values become pixels and paths", () => {
  assert.deepEqual([0, 5, 10].map(linear(0, 10, 100, 200)), [100, 150, 200]);
  assert.equal(linear(3, 3, 0, 10)(3), 5);
  assert.equal(linePath([0, 1, 2, 3], [1, null, 2, 3], false), "M0.0 1.0M2.0 2.0L3.0 3.0");
  assert.equal(linePath([0, 1, 2, 3], [1, null, 2, 3], true), "M0.0 1.0L2.0 2.0L3.0 3.0");
  assert.deepEqual([nearest([0, 10, 30], 16), nearest([0, 10, 30], 99), nearest([], 1)], [1, 2, -1]);
});
