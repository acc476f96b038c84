import assert from "node:assert/strict";
import { test } from "node:test";

import { decimal, percent, percentWithError, probability, signed } from "../src/model/numbers.ts";

test("decimals stay short at every size", () => {
  assert.deepEqual(
    [1234.5, 12.3456, 0.25, 0.0123, 0.00456, 0.000029, -0.0000056, 0].map(decimal),
    ["1235", "12.346", "0.250", "0.012", "0.0046", "2.9e−5", "−5.6e−6", "0"],
  );
  assert.deepEqual([NaN, null, undefined].map(decimal), ["–", "–", "–"]);
});

test("signs, shares and probabilities", () => {
  assert.deepEqual([0.25, -0.25, 0].map(signed), ["+0.250", "−0.250", "0"]);
  assert.deepEqual([0.5, 0.004, 0, -0.02, NaN].map(percent), ["50 %", "0.4 %", "0 %", "−2 %", "–"]);
  const errors = [[0.69, 0.07], [0.0002, 0.03], [-0.004, 0.03], [-0.02, 0.03], [0.5, 0.004], [1, 0], [0.5, NaN], [NaN, 0.1]];
  assert.deepEqual(
    errors.map(([share, error]) => percentWithError(share, error)),
    ["69 ± 7 %", "0 ± 3 %", "0 ± 3 %", "−2 ± 3 %", "50.0 ± 0.4 %", "100 ± 0 %", "50 %", "–"],
  );
  assert.deepEqual([0.9999, 1, 0.5].map(probability), ["> 99 %", "100 %", "50 %"]);
});
