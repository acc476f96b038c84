// What limits an explanation, for the eye and in words. Pure. The sentences are the log's own; Python puts the same numbers
// into them (keras_lime.core.diagnostics).
import { SEGMENT_DIAGNOSTIC, TARGET_DIAGNOSTIC } from "../data/schema.ts";
import type { RunManifest, Texts } from "../data/types.ts";
import type { Marks } from "../draw/overlay.ts";
import type { Explained } from "./snapshot.ts";
import { isFaint, isNumber } from "./numbers.ts";

/** Those of the explanation as a whole; those of single superpixels are marked where they are. */
const WHOLE = ~(TARGET_DIAGNOSTIC.blind | TARGET_DIAGNOSTIC.signFlips);

const LISTED = 5;
/** R² below which the surrogate does not describe the model, as in Python. */
const POOR_R2 = 0.2;

/** How the superpixels are to be drawn. */
export function marksOf({ weights, stderr, flags }: Pick<Explained, "weights" | "stderr" | "flags">): Marks {
  return {
    faint: stderr === null ? null : Array.from(weights, (weight, index) => Number(isFaint(weight, stderr[index]))),
    hatched: flags === null ? null : Array.from(flags, (bits) => bits & SEGMENT_DIAGNOSTIC.blind),
  };
}

/** Superpixels with one of these flags, rising. */
export function flagged({ flags }: Pick<Explained, "flags">, flag: number): number[] {
  return flags === null ? [] : [...flags.keys()].filter((segment) => (flags[segment] & flag) !== 0);
}

/** What is doubtful about one superpixel's weight, in sentences. */
export function segmentSentences(manifest: RunManifest, explained: Explained, segment: number): string[] {
  return said(manifest.flags, explained.flags?.[segment] ?? 0).map(([, text]) => text);
}

/** What is doubtful about the explanation, in sentences with its numbers; empty if nothing is. */
export function targetSentences(manifest: RunManifest, explained: Explained): string[] {
  const { r2, prediction, agreement } = explained;
  const details: Readonly<Record<number, string>> = {
    [TARGET_DIAGNOSTIC.poorFit]: r2.toFixed(2),
    [TARGET_DIAGNOSTIC.saturated]: `p = ${prediction.toFixed(4)}`,
    [TARGET_DIAGNOSTIC.blind]: listing(flagged(explained, SEGMENT_DIAGNOSTIC.blind), explained.weights.length),
    [TARGET_DIAGNOSTIC.signFlips]: listing(flagged(explained, SEGMENT_DIAGNOSTIC.signFlips), explained.weights.length),
    [TARGET_DIAGNOSTIC.baselines]: isNumber(agreement) ? `rank agreement ${agreement.toFixed(2)}` : "",
  };
  return said(manifest.caveats, caveatsOf(explained)).map(([caveat, text]) => withDetail(text, details[caveat] ?? ""));
}

/**
 * The bits that hold for the weights shown. The log judges those on the probability: of weights on the log-odds the fit is
 * another, and that the probability stands still, which the page says itself, is why they are shown.
 */
function caveatsOf({ logOdds, r2, caveats }: Explained): number {
  if (!logOdds) return caveats;
  const { saturated, still, poorFit } = TARGET_DIAGNOSTIC;
  return (caveats & ~(saturated | still | poorFit)) | (r2 < POOR_R2 ? poorFit : 0);
}

/** What is doubtful about the explanation as a whole, not about some of its superpixels. */
export function wholeSentences(manifest: RunManifest, explained: Explained): string[] {
  return targetSentences(manifest, { ...explained, caveats: explained.caveats & WHOLE });
}

/** The sentences whose bits are set. */
function said(texts: Texts, bits: number): (readonly [number, string])[] {
  return [...texts].filter(([bit]) => (bits & bit) !== 0);
}

/** The text with the detail in brackets where its first clause ends. */
function withDetail(text: string, detail: string): string {
  const ends = [": ", ". "].map((mark) => text.indexOf(mark)).filter((at) => at >= 0);
  const first = ends.length > 0 ? Math.min(...ends) : text.length - 1;
  return detail === "" ? text : `${text.slice(0, first)} (${detail})${text.slice(first)}`;
}

/** "3 of 50: 4, 7, 9", at most five by number. */
function listing(segments: readonly number[], total: number): string {
  const shown = segments.slice(0, LISTED).join(", ") + (segments.length > LISTED ? ", …" : "");
  return `${segments.length} of ${total}: ${shown}`;
}

/** What the rank agreement of weights and gradients means, as words. */
export function agreementWords(agreement: number): string {
  if (agreement >= 0.7) return "they agree: the finding does not hang on the method";
  if (agreement >= 0.3) return "they agree in part: look at what both rank high";
  return "they do not agree: neither is thereby wrong, but do not lean on one of them";
}
