// What to know before an explanation is trusted: its limits in words, and what other methods say.
import type { RunManifest } from "../data/types.ts";
import { FLAG } from "../data/types.ts";
import { outlinesPath } from "../draw/outline.ts";
import type { Sheet } from "../draw/overlay.ts";
import type { Explained } from "../model/moment.ts";
import { agreementWords, caveatSentences, flagged } from "../model/trust.ts";
import { useMemo } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { twoDecimals } from "./tile.tsx";

/** Caveats of the whole explanation; those of single superpixels are marked where they are. */
const WHOLE = 1 | 2 | 4 | 8 | 64;

/** A mark on a tile whose explanation as a whole is doubtful. */
export function DoubtMark({ manifest, explained }: { manifest: RunManifest; explained: Explained }) {
  const sentences = caveatSentences(manifest, { ...explained, caveats: explained.caveats & WHOLE });
  if (sentences.length === 0) return null;
  const words = sentences.join("\n");
  return (
    <span class="doubt" title={words}>
      <Icon name="warning" />
      <span class="visually-hidden">{words}</span>
    </span>
  );
}

interface DoubtsProps {
  manifest: RunManifest;
  explained: Explained;
  /** Why there are no gradients, where they were asked for. */
  noGradients: string | null;
}

/** All that limits the shown explanation, in sentences. */
export function Doubts({ manifest, explained, noGradients }: DoubtsProps) {
  const sentences = caveatSentences(manifest, explained);
  const { agreement, gradientAgreement } = explained;
  const checked = Number.isFinite(gradientAgreement) || noGradients !== null;
  if (sentences.length === 0 && !Number.isFinite(agreement) && !checked) return null;
  return (
    <section class="doubts" aria-label="How far to trust this explanation">
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence} class="caveat">
            <Icon name="warning" /> <span>{sentence}</span>
          </li>
        ))}
        {Number.isFinite(agreement) && (
          <li>
            <b>Second baseline</b>: rank agreement {twoDecimals(agreement)} (1: both rank the superpixels alike, 0: not at all).
          </li>
        )}
        {Number.isFinite(gradientAgreement) && (
          <li>
            <b>Integrated gradients</b>: rank agreement {twoDecimals(gradientAgreement)}; {agreementWords(gradientAgreement)}.{" "}
            <span class="muted">
              A cross-check by another method, not a substitute. On large networks, such as those for ImageNet, the two agree
              poorly even where nothing is wrong.
            </span>
          </li>
        )}
        {noGradients !== null && (
          <li>
            <b>Integrated gradients</b>: <span class="muted">{noGradients}</span>
          </li>
        )}
      </ul>
    </section>
  );
}

/** Dashed rims around superpixels whose sign is not to be relied on. */
export function UnsureRims({ sheet, explained }: { sheet: Sheet; explained: Explained }) {
  const { flags } = explained;
  const path = useMemo(() => outlinesPath(sheet, flagged({ flags }, FLAG.signFlips | FLAG.contradicted)), [sheet, flags]);
  if (path === "") return null;
  return (
    <svg class="rim unsure" viewBox={`0 0 ${sheet.width} ${sheet.height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} class="halo" />
      <path d={path} />
    </svg>
  );
}
