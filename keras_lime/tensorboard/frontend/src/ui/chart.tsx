// A line chart over epochs as SVG: axes, lines with gaps, error bars, a mark, and the numbers under the pointer.
//
// It stands here instead of a chart library because those weigh as much as the rest of the page together.
import { isNumber } from "../model/numbers.ts";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { linear, linePath, nearest, niceTicks } from "../draw/scale.ts";

export interface Line {
  readonly name: string;
  readonly colour: string;
  /** One value an epoch; null where there is none. */
  readonly values: readonly (number | null)[];
  /** Half the length of each error bar. */
  readonly errors?: readonly number[];
  /** Half the height of a band around the line. */
  readonly band?: readonly number[];
  /** Rows with a warning sign. */
  readonly warnings?: readonly number[];
  readonly dashed?: boolean;
  readonly strong?: boolean;
  readonly faded?: boolean;
}

interface Props {
  steps: readonly number[];
  lines: readonly Line[];
  range: readonly [number, number];
  height: number;
  label: string;
  format: (value: number) => string;
  /** Bridge epochs without a value. */
  span: boolean;
  legend: boolean;
  /** Epoch with a mark. */
  mark?: number;
  /** Epochs before which a line stands between two trainings. */
  fits?: readonly number[];
  /** Value at which an alarm begins. */
  level?: number | null;
  /** What the legend explains beside the lines. */
  notes?: readonly string[];
  onPick?: (row: number) => void;
}

const LEFT = 44;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 22;
/** Pixels between ticks. */
const TICK_X = 70;
const TICK_Y = 42;
const DOTS = 30;

export function Chart(props: Props) {
  const { steps, lines, range, height, label, format, mark, level, onPick } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [row, setRow] = useState<number | null>(null);
  const x = linear(steps[0], steps[steps.length - 1], LEFT, Math.max(width - RIGHT, LEFT + 1));
  const y = linear(range[0], range[1], height - BOTTOM, TOP);
  const rowAt = (event: MouseEvent): number => {
    const edge = (event.currentTarget as Element).getBoundingClientRect().left;
    return nearest(steps.map(x), event.clientX - edge);
  };
  return (
    <div class="chart" ref={box}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={label}
        class={onPick && "pickable"}
        onPointerMove={(event) => setRow(rowAt(event))}
        onPointerLeave={() => setRow(null)}
        onClick={onPick && ((event) => onPick(rowAt(event)))}
      >
        <Axes steps={steps} range={range} x={x} y={y} width={width} height={height} format={format} />
        {level != null && <line class="level" x1={LEFT} x2={width - RIGHT} y1={y(level)} y2={y(level)} />}
        {mark !== undefined && <line class="mark" x1={x(mark)} x2={x(mark)} y1={TOP} y2={height - BOTTOM} />}
        {props.fits?.map((step) => {
          const row = steps.findIndex((each) => each >= step);
          if (row <= 0) return null;
          const between = (x(steps[row - 1]) + x(steps[row])) / 2;
          return <line key={step} class="fit" x1={between} x2={between} y1={TOP} y2={height - BOTTOM} />;
        })}
        <Lines {...props} width={width} />
        {row !== null && (
          <g class="cursor">
            <line x1={x(steps[row])} x2={x(steps[row])} y1={TOP} y2={height - BOTTOM} />
            {lines.map(({ values, colour }, index) => {
              const value = values[row];
              return value !== null && <circle key={index} cx={x(steps[row])} cy={y(value)} r="4" fill={colour} />;
            })}
            <text x={x(steps[row])} y={height - 7} class="here">
              {steps[row]}
            </text>
          </g>
        )}
      </svg>
      {props.legend && <Legend lines={lines} row={row} format={format} level={level} notes={props.notes} />}
    </div>
  );
}

/** Drawn anew only when the numbers or the size change, not when the pointer moves. */
function Lines({ steps, lines, range, height, span, width }: Props & { width: number }): ComponentChildren {
  return useMemo(() => {
    const x = linear(steps[0], steps[steps.length - 1], LEFT, Math.max(width - RIGHT, LEFT + 1));
    const y = linear(range[0], range[1], height - BOTTOM, TOP);
    const xs = steps.map(x);
    return lines.map(({ name, colour, values, errors, band, warnings, dashed, strong, faded }) => {
      const ys = values.map((value) => (value === null ? null : y(value)));
      const area = bandPath(xs, values, band ?? [], y);
      const bars = errors?.map((error, row) => errorBar(xs[row], values[row], error, y)).join("");
      return (
        <g key={name} data-line={name} stroke={colour} fill={colour} opacity={faded === true ? 0.25 : 1}>
          {area !== "" && <path class="band" d={area} />}
          {bars !== undefined && bars !== "" && <path class="errors" d={bars} />}
          <path class={strong === true ? "line strong" : "line"} d={linePath(xs, ys, span)} stroke-dasharray={dashed === true ? "6 4" : undefined} />
          {dashed !== true &&
            steps.length <= DOTS &&
            ys.map((value, row) => value !== null && <circle key={row} cx={xs[row]} cy={value} r="2.2" stroke="none" />)}
          {warnings?.map((row) => ys[row] !== null && <path key={row} class="warning" d={sign(xs[row], ys[row] ?? 0)} />)}
        </g>
      );
    });
  }, [steps, lines, range[0], range[1], height, span, width]);
}

/** A band around a line; a value without an error has none, and a gap ends it. */
function bandPath(
  xs: readonly number[],
  values: readonly (number | null)[],
  errors: readonly number[],
  y: (value: number) => number,
): string {
  let path = "";
  let upper: string[] = [];
  let lower: string[] = [];
  const close = (): void => {
    if (upper.length > 1) path += `M${[...upper, ...lower.reverse()].join("L")}Z`;
    upper = [];
    lower = [];
  };
  values.forEach((value, row) => {
    // Bridged like the line itself: epochs that a run has not explained are no end.
    if (value === null) return;
    if (!isNumber(errors[row])) return close();
    upper.push(`${xs[row].toFixed(1)} ${y(value + errors[row]).toFixed(1)}`);
    lower.push(`${xs[row].toFixed(1)} ${y(value - errors[row]).toFixed(1)}`);
  });
  close();
  return path;
}

/** A triangle over a point. */
function sign(x: number, y: number): string {
  return `M${x.toFixed(1)} ${(y - 15).toFixed(1)}l6 10h-12z`;
}

function errorBar(x: number, value: number | null, error: number, y: (value: number) => number): string {
  if (value === null || !isNumber(error)) return "";
  return `M${x.toFixed(1)} ${y(value - error).toFixed(1)}V${y(value + error).toFixed(1)}`;
}

interface AxesProps extends Pick<Props, "steps" | "range" | "format"> {
  x: (value: number) => number;
  y: (value: number) => number;
  width: number;
  height: number;
}

function Axes({ steps, range, format, x, y, width, height }: AxesProps) {
  const across = niceTicks(steps[0], steps[steps.length - 1], (width - LEFT - RIGHT) / TICK_X, true);
  const up = niceTicks(range[0], range[1], (height - TOP - BOTTOM) / TICK_Y);
  return (
    <g class="axes">
      {up.map((value) => (
        <g key={value}>
          <line class={value === 0 ? "zero" : ""} x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
            {format(value)}
          </text>
        </g>
      ))}
      {across.map((step) => (
        <text key={step} x={x(step)} y={height - 7} text-anchor="middle">
          {step}
        </text>
      ))}
    </g>
  );
}

interface LegendProps extends Pick<Props, "lines" | "format" | "level" | "notes"> {
  row: number | null;
}

/** Names with the numbers under the pointer, else the newest. */
function Legend({ lines, row, format, level, notes }: LegendProps) {
  return (
    <ul class="chart-legend">
      {lines.map(({ name, colour, values, dashed }) => {
        const value = row === null ? values.findLast((each) => each !== null) : values[row];
        return (
          <li key={name}>
            <i style={{ borderTop: `2px ${dashed === true ? "dashed" : "solid"} ${colour}` }} />
            <span class="name">{name}</span>
            <b>{value === null || value === undefined ? "–" : format(value)}</b>
          </li>
        );
      })}
      {level != null && (
        <li>
          <i class="level" />
          alarm above <b>{format(level)}</b>
        </li>
      )}
      {notes?.map((note) => (
        <li key={note} class="note muted">
          {note}
        </li>
      ))}
    </ul>
  );
}

function useWidth(box: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(300);
  useLayoutEffect(() => {
    const watched = box.current;
    if (watched === null) return;
    const measure = (): void => {
      if (watched.clientWidth > 0) setWidth(watched.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(watched);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
