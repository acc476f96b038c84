// What to know before an explanation is trusted: its limits in words, and what other methods say.
import { decimal, isNumber, twoDecimals } from "../model/numbers.ts";
import type { RunManifest } from "../data/types.ts";
import type { Explained } from "../model/snapshot.ts";
import { agreementWords, targetSentences, wholeSentences } from "../model/diagnostics.ts";
import { Icon } from "./icons.tsx";

/** A mark on a tile whose explanation as a whole is doubtful. */
export function DiagnosticMark({ manifest, explained }: { manifest: RunManifest; explained: Explained }) {
  const sentences = wholeSentences(manifest, explained);
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
export function DiagnosticList({ manifest, explained, noGradients }: DoubtsProps) {
  const sentences = targetSentences(manifest, explained);
  const { agreement, gradientAgreement } = explained;
  const checked = isNumber(gradientAgreement) || noGradients !== null;
  const further = [...explained.further].filter(([, value]) => isNumber(value));
  if (sentences.length === 0 && !isNumber(agreement) && !checked && further.length === 0) return null;
  return (
    <ul class="card doubts" aria-label="How far to trust this explanation">
        {sentences.map((sentence) => (
          <li key={sentence} class="caveat">
            <Icon name="warning" /> <span>{sentence}</span>
          </li>
        ))}
        {isNumber(agreement) && (
          <li>
            <b>Second baseline</b>: rank agreement {twoDecimals(agreement)} (1: both rank the superpixels alike, 0: not at all).
          </li>
        )}
        {isNumber(gradientAgreement) && (
          <li>
            <b>Integrated gradients</b>: rank agreement {twoDecimals(gradientAgreement)}; {agreementWords(gradientAgreement)}.{" "}
            <span class="muted">
              A cross-check, not a substitute: on large networks such as ImageNet's the two agree poorly though nothing is wrong.
            </span>
          </li>
        )}
        {further.map(([name, value]) => (
          <li key={name} class="muted">
            {name.replaceAll("_", " ")}: {decimal(value)}
          </li>
        ))}
        {noGradients !== null && (
          <li>
            <b>Integrated gradients</b>: <span class="muted">{noGradients}</span>
          </li>
        )}
    </ul>
  );
}
