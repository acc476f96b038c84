// What stands where there is nothing to show: what is missing, and the lines of code that would change it.
import type { ComponentChildren } from "preact";
import { show } from "../state/selection.ts";
import { DEFAULT_VIEW } from "../model/view.ts";

function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty" role="status">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

const CALLBACK = `from keras_lime import LimeCallback, ProbeSet

probes = ProbeSet.from_dataset(val_ds, num_probes=20, class_names=names)
model.fit(train_ds, epochs=20, callbacks=[LimeCallback(probes, "logs/run1")])`;

export function NoRuns() {
  return (
    <Empty title="No run has explanations yet">
      <p>Add the callback to the training; the first epoch shows up here.</p>
      <pre>
        <code>{CALLBACK}</code>
      </pre>
      <p>
        Already training? Then TensorBoard may look elsewhere: it has to be started with the folder that the callback writes
        to, <code>tensorboard --logdir logs</code>.
      </p>
    </Empty>
  );
}

export function NoManifest({ run }: { run: string }) {
  return (
    <Empty title="This run cannot be shown">
      <p>
        <b>{run}</b> has data of keras_lime, but no manifest that says which probes it explains. It is written with the first
        explained epoch; a training that stopped before, or a damaged event file, leaves none. A log of a newer keras_lime
        needs the newer version where TensorBoard runs:
      </p>
      <pre>
        <code>pip install --upgrade keras-lime</code>
      </pre>
    </Empty>
  );
}

export function NoEpochs({ run }: { run: string }) {
  return (
    <Empty title="No epoch is explained yet">
      <p>
        <b>{run}</b> has begun; the page shows its first epoch as soon as it is written.
      </p>
    </Empty>
  );
}

const MASKS = `probes = ProbeSet(images, labels, masks=masks)   # bool (n, h, w), True on the object
probes = ProbeSet(images, labels, boxes=boxes)   # or one box an image`;

export function NoMasks() {
  return (
    <Empty title="Where is the object?">
      <p>
        The object share says how much of the positive weight lies on the object. These runs were logged without object masks,
        so it is not known. Give the probes masks or boxes:
      </p>
      <pre>
        <code>{MASKS}</code>
      </pre>
    </Empty>
  );
}

export function OneSide() {
  return (
    <Empty title="These runs share no probe">
      <p>
        Two runs can be compared where they explain the same images: give both callbacks the same <code>ProbeSet</code>.
      </p>
    </Empty>
  );
}

export function NothingLeft() {
  const { onlyClass, onlyPredicted, search, wrongOnly, maxShare } = DEFAULT_VIEW;
  return (
    <Empty title="No probe passes the filters">
      <p>At another epoch some may.</p>
      <button class="action" onClick={() => show({ onlyClass, onlyPredicted, search, wrongOnly, maxShare })}>
        Show all probes
      </button>
    </Empty>
  );
}
