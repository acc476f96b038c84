// A canvas that shows a probe with weights over it, redrawn when weights, controls or the picture change.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Explained } from "../model/snapshot.ts";
import { showsOriginals } from "../state/original.ts";
import { useHold } from "./useHold.ts";
import { marksOf } from "../model/diagnostics.ts";
import { drawOverlay, type Drawing, type Marks, type LabelledPicture } from "../draw/overlay.ts";

interface Props {
  labelled: LabelledPicture;
  /** null: the picture alone. */
  weights: ArrayLike<number> | null;
  marks?: Marks | null;
  drawing: Drawing;
  label: string;
  onPoint?: (segment: number | null) => void;
}

export function Picture({ labelled, weights, marks = null, drawing, label, onPoint }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { held, handlers } = useHold();
  const original = held || (weights !== null && showsOriginals.value);
  useLayoutEffect(() => {
    if (canvas.current !== null) paint(canvas.current, labelled, original ? null : weights, marks, drawing);
  }, [labelled, weights, marks, drawing, original]);
  return (
    <canvas
      ref={canvas}
      class={labelled.width < 160 ? "picture coarse" : "picture"}
      width={labelled.width}
      height={labelled.height}
      role="img"
      aria-label={label}
      onPointerMove={onPoint && ((event) => onPoint(segmentUnder(event, labelled)))}
      {...(weights === null ? {} : handlers)}
      onPointerLeave={() => {
        handlers.onPointerLeave();
        onPoint?.(null);
      }}
    />
  );
}

export function paint(
  canvas: HTMLCanvasElement,
  labelled: LabelledPicture,
  weights: ArrayLike<number> | null,
  marks: Marks | null,
  drawing: Drawing,
): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(labelled.width, labelled.height);
  if (weights === null) image.data.set(labelled.rgba);
  else drawOverlay(labelled, weights, drawing, image.data, marks);
  context.putImageData(image, 0, 0);
}

function segmentUnder(event: PointerEvent, labelled: LabelledPicture): number | null {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) / box.width) * labelled.width);
  const y = Math.floor(((event.clientY - box.top) / box.height) * labelled.height);
  const inside = x >= 0 && y >= 0 && x < labelled.width && y < labelled.height;
  return inside ? labelled.labels[y * labelled.width + x] : null;
}

/** An explanation, or the picture alone where there is none. */
export function ExplainedPicture({ explained, ...rest }: Omit<Props, "weights" | "marks"> & { explained: Explained | null }) {
  const marks = explained === null ? null : marksOf(explained);
  return <Picture {...rest} weights={explained?.weights ?? null} marks={marks} />;
}
