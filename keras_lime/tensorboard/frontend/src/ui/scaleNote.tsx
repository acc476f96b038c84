// What the colours of one explanation are worth: the scale in numbers, and where they are worth little.
import type { RunManifest } from "../data/types.ts";
import type { Explained } from "../model/snapshot.ts";
import { decimal } from "../model/numbers.ts";
import { view } from "../state/selection.ts";

/** A change of the prediction that is not worth a colour. */
const LITTLE = 0.05;

/** The weight that has the full colour, on the corner of a picture. */
export function ScaleBadge({ explained, scale }: { explained: Explained; scale: number | null }) {
  if (scale === null) return null;
  return (
    <span class="scale-badge" title={`Full colour at a weight of ±${decimal(scale)} ${unitOf(explained)}`}>
      ±{decimal(scale)}
      {explained.logOdds && " log-odds"}
    </span>
  );
}

export function unitOf({ logOdds }: Explained): string {
  return logOdds ? "on the log-odds" : "on the prediction";
}

/** Where no superpixel moves the prediction, or the colours are of the log-odds: said in words. */
export function scaleSentence(manifest: RunManifest, explained: Explained): string | null {
  if (manifest.output === "regression") return null;
  const { logOdds, moves, hasLogOdds } = explained;
  if (moves > LITTLE) return logOdds && view.basis === "auto" ? "Weights on the log-odds: the probability is saturated." : null;
  const still = `No part moves the probability by more than ${decimal(Math.max(moves, 0))}`;
  if (logOdds) return `${still}: log-odds are shown.`;
  return hasLogOdds ? `${still}. Choose the log-odds to see what it rests on.` : `${still}.`;
}

export function ScaleSentence({ manifest, explained }: { manifest: RunManifest; explained: Explained }) {
  const sentence = scaleSentence(manifest, explained);
  return sentence === null ? null : <span class="scale-sentence muted">{sentence}</span>;
}
