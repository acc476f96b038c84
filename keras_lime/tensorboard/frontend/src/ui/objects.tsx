// Where each probe's object lies: its mask, or boxes that are drawn here and saved for Python. Nothing is written to the log.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ProbeInfo } from "../data/types.ts";
import { outlinesPath } from "../draw/outline.ts";
import type { LabelledPicture } from "../draw/overlay.ts";
import { type Box, boxAround, boxBetween, boxesJson, grown, moved } from "../model/boxes.ts";
import { percent } from "../model/numbers.ts";
import { boxes, canUndo, setBoxes, undoBoxes } from "../state/boxes.ts";
import { ownsKeys } from "../state/keys.ts";
import { currentManifest, currentRun, view } from "../state/selection.ts";
import { tiles } from "../state/shownTiles.ts";
import { drawing } from "../state/drawing.ts";
import { Picture } from "./picture.tsx";
import { useProbe } from "./probe.ts";
import { saveFile } from "./save.ts";
import { useVisible } from "./useVisible.ts";

const NAME = "boxes.json";

export function Objects() {
  const run = currentRun.value;
  const manifest = currentManifest.value;
  useUndoKey();
  if (run === null || manifest === null) return null;
  const count = [...boxes.value.values()].reduce((sum, own) => sum + own.length, 0);
  return (
    <div class="objects">
      <h2 class="visually-hidden">Where the objects are</h2>
      <div class="lead">
        <p class="muted">
          The line is the probe's mask, box or estimated outline as it was logged. Drag to draw a box, drag a box to move it, its corner to resize
          it; with the keyboard: arrows move, Shift and arrows resize, Delete removes.
        </p>
        <button class="action" disabled={!canUndo.value} onClick={undoBoxes}>
          Undo
        </button>
        <button class="action" disabled={count === 0} onClick={() => saveFile(boxesJson(boxes.value), NAME, "application/json")}>
          Save boxes ({count})
        </button>
      </div>
      {count > 0 && (
        <pre>
          <code>{`probes = probes.with_boxes("${NAME}")   # boxes by probe id: the other probes keep their masks`}</code>
        </pre>
      )}
      <div class={`grid ${view.size}`}>
        {tiles.value.map(({ probe }) => (
          <ObjectTile key={`${run} ${probe.id}`} run={run} probe={probe} />
        ))}
      </div>
    </div>
  );
}

function ObjectTile({ run, probe }: { run: string; probe: ProbeInfo }) {
  const element = useRef<HTMLElement>(null);
  const visible = useVisible(element);
  const data = useProbe(run, probe.id, visible);
  const labelled = data.labelled.value;
  const { objectMask = null, estimatedMask = null } = data.segments.value.value ?? {};
  const own = boxes.value.get(probe.id) ?? [];
  const add = (): void => {
    const { width, height } = probe;
    const centred = boxBetween([height / 4, width / 4], [(3 * height) / 4, (3 * width) / 4], probe);
    const first = own.length === 0 && estimatedMask !== null ? boxAround(estimatedMask, probe) : null;
    const added = first ?? centred;
    if (added !== null) setBoxes(probe.id, [...own, added]);
  };
  return (
    <section ref={element} class="tile object-tile" aria-label={probe.name} data-probe={probe.id}>
      <span class="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        {visible && labelled !== null && (
          <>
            <Picture labelled={labelled} weights={null} drawing={drawing.value} label={`Picture of ${probe.name}`} />
            <MaskRim labelled={labelled} mask={objectMask ?? estimatedMask} />
            <BoxEditor probe={probe} own={own} />
          </>
        )}
      </span>
      <span class="name">{probe.name}</span>
      <span class="muted">
        {own.length > 0 && `${own.length} ${own.length === 1 ? "box" : "boxes"} drawn`}
        {own.length === 0 && outlineOf(probe, estimatedMask !== null)}
      </span>
      <button class="link" onClick={add}>
        Add a box
      </button>
    </section>
  );
}

function outlineOf(probe: ProbeInfo, estimated: boolean): string {
  if (probe.chance !== null) return `mask on ${percent(probe.chance)}`;
  return estimated ? "outline estimated" : "no mask";
}

/** A thin line around the logged object. */
export function MaskRim({ labelled, mask }: { labelled: LabelledPicture; mask: Uint8Array | null }) {
  const path = useMemo(() => {
    if (mask === null) return "";
    const { width, height } = labelled;
    return outlinesPath({ width, height, labels: Uint16Array.from(mask) }, [1]);
  }, [labelled, mask]);
  if (path === "") return null;
  return (
    <svg
      class="mask-rim"
      viewBox={`0 0 ${labelled.width} ${labelled.height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={path} class="halo" />
      <path d={path} />
    </svg>
  );
}

interface Drag {
  readonly from: readonly [number, number];
  /** null: a new box. */
  readonly index: number | null;
  readonly corner: boolean;
}

function BoxEditor({ probe, own }: { probe: ProbeInfo; own: readonly Box[] }) {
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<Drag | null>(null);
  const [draft, setDraft] = useState<readonly Box[] | null>(null);
  const shown = draft ?? own;
  const pointOf = (event: PointerEvent): [number, number] => {
    const box = svg.current!.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * probe.height, ((event.clientX - box.left) / box.width) * probe.width];
  };
  const start = (event: PointerEvent, index: number | null, corner: boolean): void => {
    if (event.button !== 0) return;
    event.stopPropagation();
    svg.current!.setPointerCapture(event.pointerId);
    drag.current = { from: pointOf(event), index, corner };
  };
  const move = (event: PointerEvent): void => {
    const now = drag.current;
    if (now === null) return;
    setDraft(dragged(own, now, pointOf(event), probe));
  };
  const end = (): void => {
    drag.current = null;
    if (draft !== null) setBoxes(probe.id, draft);
    setDraft(null);
  };
  const press = (event: KeyboardEvent, index: number): void => {
    const next = pressed(own, index, event, probe);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    setBoxes(probe.id, next);
  };
  return (
    <svg
      ref={svg}
      class="box-editor"
      viewBox={`0 0 ${probe.width} ${probe.height}`}
      preserveAspectRatio="none"
      onPointerDown={(event) => start(event, null, false)}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {shown.map(([top, left, bottom, right], index) => (
        <g
          key={index}
          tabindex={0}
          role="button"
          aria-label={`Box ${index + 1} of ${probe.name}: top ${top}, left ${left}, bottom ${bottom}, right ${right}`}
          onKeyDown={(event) => press(event, index)}
        >
          <rect
            x={left}
            y={top}
            width={right - left}
            height={bottom - top}
            onPointerDown={(event) => start(event, index, false)}
          />
          <circle
            cx={right}
            cy={bottom}
            r={Math.max(probe.width, probe.height) / 24}
            onPointerDown={(event) => start(event, index, true)}
          />
        </g>
      ))}
    </svg>
  );
}

function dragged(own: readonly Box[], { from, index, corner }: Drag, to: readonly [number, number], probe: ProbeInfo): Box[] {
  if (index === null) {
    const fresh = boxBetween(from, to, probe);
    return fresh === null ? [...own] : [...own, fresh];
  }
  const change = corner ? grown : moved;
  return own.map((box, at) => (at === index ? change(box, to[0] - from[0], to[1] - from[1], probe) : box));
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The boxes after a key; null for a key that does nothing. */
function pressed(own: readonly Box[], index: number, event: KeyboardEvent, probe: ProbeInfo): Box[] | null {
  if (event.key === "Delete" || event.key === "Backspace") return own.filter((_, at) => at !== index);
  const arrow = ARROWS[event.key];
  if (arrow === undefined) return null;
  const change = event.shiftKey ? grown : moved;
  return own.map((box, at) => (at === index ? change(box, arrow[0], arrow[1], probe) : box));
}

function useUndoKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || ownsKeys(event.target)) return;
      undoBoxes();
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
