// The whole page: controls on the left, the chosen page on the right, and something helpful where there is no data.
import { Component, type ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { showsKeys, takePlace } from "../state/place.ts";
import { KeyList } from "./advice.tsx";
import { manifest, probeOf, readableRuns, retryFailed, runs, summaryOf } from "../data/store.ts";
import { refresh } from "../data/refresh.ts";
import { currentManifest, currentProbe, currentRun, show, showExactly, steps, view } from "../state/selection.ts";
import { DEFAULT_VIEW } from "../model/view.ts";
import { AlarmBanner } from "./alarm.tsx";
import { ClassSheet } from "./classSheet.tsx";
import { Compare } from "./compare.tsx";
import { Detail } from "./detail.tsx";
import { NoEpochs, NoManifest, NoRuns } from "./empty.tsx";
import { EpochSlider } from "./epochs.tsx";
import { Icon } from "./icons.tsx";
import { Objects } from "./objects.tsx";
import { Overview } from "./overview.tsx";
import { Shortcut } from "./shortcut.tsx";
import { Sidebar } from "./sidebar.tsx";
import { TopBar } from "./topbar.tsx";

export function App() {
  const answered = manifest.value.value !== null;
  const error = manifest.error.value;
  if (!answered && error === null) return <p class="loading muted" role="status">Reading the logs …</p>;
  if (!answered || runs.value.length === 0) {
    return (
      <main class="alone">
        {error !== null && <Problem sentence={error} />}
        {answered && <NoRuns />}
        <Notices />
      </main>
    );
  }
  return (
    <Fence>
      <a class="skip-link" href="#content" onClick={skipToContent}>
        Skip to the pictures
      </a>
      {showsKeys.value && <KeyList onClose={() => (showsKeys.value = false)} />}
      <div class="layout">
        <Sidebar />
        <main id="content" tabIndex={-1}>
          <h1 class="visually-hidden">LIME: what the model looks at</h1>
          <TopBar />
          {error !== null && <Problem sentence={error} />}
          <Notices />
          <Page />
        </main>
      </div>
    </Fence>
  );
}

function Page() {
  const run = currentRun.value;
  const { page } = view;
  if (page === "shortcut" && readableRuns.value.length > 0) return <Shortcut />;
  if (run === null) return <NoRuns />;
  if (!runs.value.some((info) => info.run === run)) return <UnknownRun run={run} />;
  if (currentManifest.value === null) return <NoManifest run={run} />;
  const { value, error } = summaryOf(run);
  if (value.value === null && error.value !== null) return <Problem sentence={error.value} />;
  if (value.value !== null && steps.value.length === 0) return <NoEpochs run={run} />;
  if (page === "compare") return <Compare />;
  if (page === "objects") return <Objects />;
  return (
    <>
      <div class="epochbar">
        <EpochSlider />
      </div>
      <AlarmBanner />
      {page === "classes" ? <ClassSheet /> : <OverviewOrDetail run={run} />}
    </>
  );
}

/** The address belongs to the view, so the link only moves the focus. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/** So long tiles above may still grow when they are drawn. */
const SETTLING_MS = 1500;

/** Keeps a tile where it was until what is around it is drawn, or the reader moves on. */
function holdAt(main: HTMLElement, tile: HTMLElement, top: number): void {
  const align = (): void => void (main.scrollTop += tile.getBoundingClientRect().top - top);
  const observer = new ResizeObserver(align);
  const stop = (): void => observer.disconnect();
  observer.observe(tile.parentElement ?? tile);
  for (const moved of ["wheel", "touchstart", "keydown", "pointerdown"]) window.addEventListener(moved, stop, { once: true });
  window.setTimeout(stop, SETTLING_MS);
  align();
}

/** Opening a probe begins at its top; closing it goes back to where its tile was, with the focus on it. */
function useKeptPlace(run: string): void {
  const { probe } = view;
  const before = useRef<string | null>(null);
  useLayoutEffect(() => {
    const main = document.querySelector("main");
    if (main === null) return;
    const was = before.current;
    before.current = probe;
    if (probe !== null) {
      main.scrollTop = 0;
      return;
    }
    const place = takePlace(run);
    const tile = was === null ? null : document.querySelector<HTMLElement>(`[data-probe="${CSS.escape(was)}"]`);
    if (tile === null) return;
    // Another probe may have been walked to: then its own tile comes into view.
    tile.focus({ preventScroll: place?.probe === was });
    if (place?.probe === was) holdAt(main, tile, place.top);
  }, [run, probe]);
}

function OverviewOrDetail({ run }: { run: string }) {
  useKeptPlace(run);
  const probe = currentProbe.value;
  const known = currentManifest.value;
  if (view.probe === null || known === null) return <Overview />;
  if (probe !== null) return <Detail key={`${run} ${probe.id}`} run={run} probe={probe} manifest={known} />;
  return (
    <div class="empty" role="status">
      <h2>This probe is not in the run</h2>
      <p>
        The newest session of <b>{run}</b> does not explain it.
      </p>
      <button class="action" onClick={() => show({ probe: null })}>
        Show all probes
      </button>
    </div>
  );
}

function UnknownRun({ run }: { run: string }) {
  return (
    <div class="empty" role="status">
      <h2>There is no run of this name</h2>
      <p>
        The link names <b>{run}</b>. Choose one on the left, or start TensorBoard with the folder that holds it.
      </p>
    </div>
  );
}

function Problem({ sentence }: { sentence: string }) {
  const retry = (): void => {
    retryFailed();
    void refresh();
  };
  return (
    <div class="banner" role="alert">
      <Icon name="warning" /> <span>{sentence}</span>
      <button class="action" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** What the plugin could not read, said once each. */
function Notices() {
  const run = currentRun.value;
  const own = runs.value.find((info) => info.run === run)?.notices ?? [];
  const probe = view.probe;
  const summary = run === null ? null : summaryOf(run).value.value;
  const series = run === null || probe === null ? null : probeOf(run, probe).numbers.value;
  const general = manifest.value.value?.notices ?? [];
  const all = [...new Set([...general, ...own, ...(summary?.notices ?? []), ...(series?.notices ?? [])])];
  if (all.length === 0) return null;
  return (
    <details class="notices">
      <summary>
        <Icon name="warning" /> {all.length === 1 ? all[0] : `${all.length} notices`}
      </summary>
      {all.length > 1 && (
        <ul>
          {all.map((notice) => (
            <li key={notice}>{notice}</li>
          ))}
        </ul>
      )}
    </details>
  );
}

/** A bug in one page must not leave a blank one. */
class Fence extends Component<{ children: ComponentChildren }, { message: string | null }> {
  override state = { message: null as string | null };

  override componentDidCatch(error: unknown): void {
    this.setState({ message: error instanceof Error ? error.message : String(error) });
  }

  override render() {
    if (this.state.message === null) return this.props.children;
    const reset = (): void => {
      showExactly(DEFAULT_VIEW);
      this.setState({ message: null });
    };
    return (
      <main class="alone">
        <div class="empty" role="alert">
          <h2>The page could not show this</h2>
          <p>{this.state.message}</p>
          <button class="action" onClick={reset}>
            Back to the overview
          </button>
        </div>
      </main>
    );
  }
}
