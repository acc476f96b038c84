// Rows → CSV text (RFC 4180). Pure.

import { isNumber } from "./numbers.ts";
export type Cell = string | number | boolean | null;

/** Spreadsheets run cells that begin like a formula; names come from strangers, so such text gets an apostrophe. */
const FORMULA = /^[=+\-@\t\r]/;

export function toCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [header.map(cell).join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return lines.join("\r\n") + "\r\n";
}

function cell(value: Cell): string {
  if (value === null || (typeof value === "number" && !isNumber(value))) return "";
  if (typeof value !== "string") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A name that every file system takes. */
export function fileName(parts: readonly (string | number)[], extension: string): string {
  const stem = parts
    .map(String)
    .join("_")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 120);
  return `${stem === "" ? "lime" : stem}.${extension}`;
}
