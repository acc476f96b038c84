// A divider over the explanation: the original left of it. Its slider moves by mouse, touch and arrow keys.
import type { Drawing, LabelledPicture } from "../draw/overlay.ts";
import { dividerAt } from "../state/original.ts";
import { Picture } from "./picture.tsx";

export function Divided({ labelled, drawing }: { labelled: LabelledPicture; drawing: Drawing }) {
  const at = dividerAt.value;
  return (
    <>
      <div class="divided" style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }}>
        <Picture labelled={labelled} weights={null} drawing={drawing} label="Original, left of the divider" />
      </div>
      <i class="divider" style={{ left: `${at}%` }} />
    </>
  );
}

export function DividerSlider() {
  return (
    <input
      class="divider-slider"
      type="range"
      min={0}
      max={100}
      value={dividerAt.value}
      aria-label="Divider"
      aria-valuetext={`original on the left ${dividerAt.value} percent`}
      onInput={(event) => (dividerAt.value = event.currentTarget.valueAsNumber)}
    />
  );
}
