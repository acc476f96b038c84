// Pages as tabs, and what can be done with what is shown: a link, a picture, a table.
import { useSignal } from "@preact/signals";
import { linkTo } from "../state/address.ts";
import { currentRun, currentStep, show, view } from "../state/selection.ts";
import { PAGES, type View } from "../model/view.ts";
import { drawerOpen } from "../state/place.ts";
import { canSave, saveCsv, savePng } from "./exports.ts";
import { Icon, type IconName } from "./icons.tsx";

const NAMES: Readonly<Record<View["page"], string>> = {
  overview: "Overview",
  shortcut: "Shortcuts",
  classes: "Classes",
  objects: "Objects",
  compare: "Compare",
};

export function TopBar() {
  const { page } = view;
  return (
    <div class="topbar">
      <button
        class="action drawer-button"
        aria-expanded={drawerOpen.value}
        aria-controls="controls"
        onClick={() => (drawerOpen.value = !drawerOpen.value)}
      >
        <Icon name="menu" /> Controls
      </button>
      <div class="tabs" role="tablist" aria-label="Pages" onKeyDown={moveByKey}>
        {PAGES.map((name) => (
          <button
            key={name}
            role="tab"
            aria-selected={name === page}
            tabIndex={name === page ? 0 : -1}
            onClick={() => show({ page: name, probe: name === page ? null : name === "overview" ? view.probe : null })}
          >
            {NAMES[name]}
          </button>
        ))}
      </div>
      <span class="spread" />
      <CopyLink />
      <SaveButton name="PNG" icon="image" title="Save the shown pictures" save={savePng} />
      <SaveButton name="CSV" icon="table" title="Save the shown numbers" save={saveCsv} />
    </div>
  );
}

interface SaveProps {
  name: string;
  icon: IconName;
  title: string;
  save: () => Promise<void>;
}

function SaveButton({ name, icon, title, save }: SaveProps) {
  const busy = useSignal(false);
  const run = async (): Promise<void> => {
    busy.value = true;
    await save().finally(() => (busy.value = false));
  };
  return (
    <button
      class="action"
      disabled={busy.value || !canSave()}
      aria-busy={busy.value}
      title={title}
      onClick={() => void run()}
    >
      <Icon name={icon} /> {name}
    </button>
  );
}

function moveByKey(event: KeyboardEvent): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (by === 0) return;
  const next = PAGES[(PAGES.indexOf(view.page) + by + PAGES.length) % PAGES.length];
  show({ page: next, probe: null });
  const list = event.currentTarget as HTMLElement;
  list.querySelectorAll("button")[PAGES.indexOf(next)]?.focus();
  event.preventDefault();
}

/** Copies a link to exactly this: run and epoch are named even where the view only says "the newest". */
function CopyLink() {
  const state = useSignal<"idle" | "copied" | "shown">("idle");
  const link = (): string => linkTo({ ...view, run: currentRun.value, epoch: currentStep.value });
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link());
      state.value = "copied";
      window.setTimeout(() => (state.value = "idle"), 1500);
    } catch {
      // Without https and in some frames there is no clipboard: show the link to be copied by hand.
      state.value = state.value === "shown" ? "idle" : "shown";
    }
  };
  return (
    <>
      {state.value === "shown" && (
        <input
          class="link-text"
          readOnly
          aria-label="Link to this view"
          value={link()}
          ref={(input) => input?.select()}
        />
      )}
      <button class="action" title="Copy a link that shows exactly this" onClick={() => void copy()}>
        <Icon name="link" /> <span aria-live="polite">{state.value === "copied" ? "Copied" : "Link"}</span>
      </button>
    </>
  );
}
