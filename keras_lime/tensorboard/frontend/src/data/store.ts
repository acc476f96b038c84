// Everything the page knows from the server, one Resource a thing, by run and probe.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { makeLabelled, type LabelledPicture } from "../draw/overlay.ts";
import { fetchManifest, fetchNeighbours, fetchNewest, fetchPicture, fetchSegments, fetchSeries, fetchSummary, fetchSwaps } from "./api.ts";
import { RequestQueue } from "./requestQueue.ts";
import { Resource } from "./resource.ts";
import type { Manifest, Neighbours, Picture, RunInfo, RunManifest, Segments, Series, Summary, Swaps } from "./types.ts";

/** Chromium opens six connections to one server; more requests would only queue where urgency is not known. */
const CONNECTIONS = 6;

export const URGENCY = { later: 0, behind: 1, visible: 2, chosen: 3 } as const;

/** From so many epochs on the newest one is fetched before the rest, so that something shows at once. */
const LONG = 60;

export interface ProbeData {
  readonly series: Resource<Series>;
  readonly newest: Resource<Series>;
  /** The whole series, or the newest epoch while the rest is on the way. */
  readonly numbers: ReadonlySignal<Series | null>;
  readonly segments: Resource<Segments>;
  readonly picture: Resource<Picture>;
  /** Picture and superpixels ready to draw; grey where the picture is lost. */
  readonly labelled: ReadonlySignal<LabelledPicture | null>;
  /** Why nothing can be drawn. */
  readonly problem: ReadonlySignal<string | null>;
}

const queue = new RequestQueue(CONNECTIONS);
const summaries = new Map<string, Resource<Summary>>();
const probes = new Map<string, ProbeData>();
const swaps = new Map<string, Resource<Swaps>>();
const neighbours = new Map<string, Resource<Neighbours>>();

export const manifest = new Resource<Manifest>("manifest", new RequestQueue(1), fetchManifest);

export const runs: ReadonlySignal<readonly RunInfo[]> = computed(() => manifest.value.value?.runs ?? []);

/** Runs that can be shown. */
export const readableRuns: ReadonlySignal<readonly RunInfo[]> = computed(() =>
  runs.value.filter((run) => run.manifest !== null),
);

export function manifestOf(run: string | null): RunManifest | null {
  return runs.value.find((info) => info.run === run)?.manifest ?? null;
}

/** Differs whenever the run has grown or was begun anew. */
export function growthOf(run: string): string {
  const info = runs.value.find((candidate) => candidate.run === run);
  return `${sessionOf(run)}|${info?.steps_hint ?? ""}`;
}

/** Differs whenever the run was begun anew, perhaps with other superpixels. */
export function sessionOf(run: string): string {
  return manifestOf(run)?.created ?? "";
}

export function summaryOf(run: string): Resource<Summary> {
  return lookUp(summaries, run, () => new Resource(`summary ${run}`, queue, () => fetchSummary(run)));
}

/** Swapped pictures at most of an epoch; null: of the newest. */
export function swapsOf(run: string, step: number | null): Resource<Swaps> {
  const key = JSON.stringify([run, step]);
  return lookUp(swaps, key, () => new Resource(`swaps ${key}`, queue, () => fetchSwaps(run, step)));
}

/** Nearest training images at most of an epoch; null: of the newest. */
export function neighboursOf(run: string, step: number | null): Resource<Neighbours> {
  const key = JSON.stringify([run, step]);
  return lookUp(neighbours, key, () => new Resource(`neighbours ${key}`, queue, () => fetchNeighbours(run, step)));
}

export function probeOf(run: string, probe: string): ProbeData {
  const key = JSON.stringify([run, probe]);
  return lookUp(probes, key, () => makeProbe(key, run, probe));
}

function makeProbe(key: string, run: string, probe: string): ProbeData {
  const series = new Resource(`series ${key}`, queue, () => fetchSeries(run, probe));
  const newest = new Resource(`newest ${key}`, queue, () => fetchNewest(run, probe));
  const numbers = computed(() => series.value.value ?? newest.value.value);
  const segments = new Resource(`segments ${key}`, queue, () => fetchSegments(run, probe));
  const picture = new Resource(`picture ${key}`, queue, () => fetchPicture(run, probe));
  const labelled = computed(() => {
    const map = segments.value.value;
    const shown = picture.value.value;
    if (map === null || (shown === null && picture.error.value === null)) return null;
    const fits = shown !== null && shown.width === map.width && shown.height === map.height;
    const rgba = fits ? shown.rgba : new Uint8ClampedArray(map.width * map.height * 4).fill(128);
    return makeLabelled(map.width, map.height, rgba, map.labels);
  });
  const problem = computed(() => segments.error.value ?? series.error.value ?? picture.error.value);
  return { series, newest, numbers, segments, picture, labelled, problem };
}

/** Fetches what drawing a probe takes, unless it is here; the promise ends when all of it has come. */
export async function wantProbe(run: string, probe: string): Promise<void> {
  const data = probeOf(run, probe);
  const [session, growth, long] = [sessionOf(run), growthOf(run), isLong(run)];
  if (long && data.series.value.value === null) void data.newest.ensure(growth, URGENCY.visible);
  await Promise.all([
    data.picture.ensure(session, URGENCY.visible),
    data.segments.ensure(session, URGENCY.visible),
    data.series.ensure(growth, long ? URGENCY.behind : URGENCY.visible),
  ]);
}

/** Fetches a probe's numbers when nothing else is to be done. */
export function prefetchProbe(run: string, probe: string): void {
  const { series } = probeOf(run, probe);
  if (series.value.value === null) void series.ensure(growthOf(run), URGENCY.later);
}

/** Lets others go first: the probe scrolled out of sight. */
export function relaxProbe(run: string, probe: string): void {
  for (const resource of resourcesOf(probeOf(run, probe))) resource.relax();
}

/** Changes when what failed is to be asked for again; who wants something follows it. */
export const retries = signal(0);

/** Has everything that failed asked for again. False where nothing failed. */
export function retryFailed(): boolean {
  const all = [...summaries.values(), ...swaps.values(), ...neighbours.values(), ...[...probes.values()].flatMap(resourcesOf)] as Resource<unknown>[];
  const failed = all.filter((resource) => resource.error.peek() !== null);
  for (const resource of failed) resource.retry();
  if (failed.length > 0) retries.value++;
  return failed.length > 0;
}

function resourcesOf(data: ProbeData): Resource<unknown>[] {
  return [data.picture, data.segments, data.newest, data.series] as Resource<unknown>[];
}

function isLong(run: string): boolean {
  return (runs.value.find((info) => info.run === run)?.steps_hint ?? 0) > LONG;
}

function lookUp<T>(known: Map<string, T>, key: string, make: () => T): T {
  let found = known.get(key);
  if (found === undefined) known.set(key, (found = make()));
  return found;
}
