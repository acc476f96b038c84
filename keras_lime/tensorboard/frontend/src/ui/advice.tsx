// What one can do about an alarm, and how the page is to be read.
import type { ComponentChildren } from "preact";
import type { Alarm } from "../data/types.ts";
import { blames } from "../model/alarms.ts";

/** From the smallest intervention to the largest; the guide says how to verify that it helped. */
export function Advice({ alarm }: { alarm: Alarm }) {
  const { mark, background } = blames(alarm);
  return (
    <div class="advice" role="group" aria-label="What you can do">
      <ol>
        <li>
          <b>See whether it is true.</b> {background && "Do the pasted objects look right? "}
          {mark && "Is what the blocks show no part of the object? "}If a mask or box is wrong, correct it first.
        </li>
        {mark && (
          <li>
            <b>Crop or cover the mark.</b> A watermark, caption or frame goes, in training and in prediction.
          </li>
        )}
        {background && (
          <li>
            <b>Add scenes.</b> Show each class before the other classes' backgrounds; drop images in which class and scene
            coincide.
          </li>
        )}
        <li>
          <b>Mix backgrounds.</b> With masks or boxes of some training images, let{" "}
          <code>SwapBackgrounds(pool).dataset(train_ds)</code> paste their objects onto other classes’ backgrounds.
        </li>
        <li>
          <b>Cure the model that you have.</b>{" "}
          <code>cured, receipt = cure(model, train_ds, pool, validation_data=val_ds, probes=probes)</code> trains a copy on
          such images and measures before and after; on the command line{" "}
          <code>keras-lime cure MODEL DATA --boxes boxes.json --out cured</code>.
        </li>
        <li>
          <b>Check again</b> with <code>print(shortcut_report(model, probes))</code> on the model trained anew.
        </li>
      </ol>
      <p class="muted">
        The guide <code>examples/guides/after_an_alarm.md</code> goes through these steps one by one.
      </p>
    </div>
  );
}

function Line({ sign, children }: { sign: string; children: ComponentChildren }) {
  return (
    <li>
      <b>{sign}</b> {children}
    </li>
  );
}

/** Closed until it is asked for. */
export function HowToRead() {
  return (
    <details class="how-to-read">
      <summary>How to read this</summary>
      <ul>
        <Line sign="Colour">
          is weight: with the superpixel shown instead of hidden, the prediction rises (for) or falls (against). The picture
          itself is grey.
        </Line>
        <Line sign="±0.40">is the weight that has the full colour.</Line>
        <Line sign="Rims">surround the strongest five. Faint colours may be zero; stripes cannot be judged.</Line>
        <Line sign="On object">
          is the share of the positive weight on the object; the tick on the bar is where chance would be.
        </Line>
        <Line sign="R²">says how well the weights describe the model near this picture. Below .2 do not read them.</Line>
      </ul>
    </details>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["← →", "previous or next epoch"],
  ["Home End", "first or newest epoch"],
  ["Space", "play through the epochs"],
  ["O, held", "the original pictures"],
  ["N P", "next or previous probe"],
  ["B", "blink: original and explanation in turn"],
  ["D", "divider: the original left of it"],
  ["Esc", "back to all probes"],
  ["/", "search"],
  ["?", "this list"],
];

export function KeyList({ onClose }: { onClose: () => void }) {
  return (
    <div class="key-list card" role="dialog" aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button class="action" autofocus onClick={onClose}>
        Close
      </button>
    </div>
  );
}
