// How the report was made and what it cannot say, for readers who have never heard of LIME.
import type { PaletteName } from "../draw/overlay.ts";

export function Method({ kinds, palette }: { kinds: ReadonlySet<"audit" | "log">; palette: PaletteName }) {
  const [plus, minus] = palette === "green-red" ? ["Green", "red"] : ["Blue", "orange"];
  return (
    <section class="method">
      <h2>How this was found, and what it cannot say</h2>
      <h3>The method</h3>
      <p>
        Each picture is cut into some fifty patches of similar colour (superpixels). Patches are hidden at random, some
        hundred times, and each time the model is asked again. A simple weighted sum is then fitted to its answers: the{" "}
        <b>weight</b> of a patch says by how much the model’s probability rises when the patch is shown instead of
        hidden. {plus} patches raise it, {minus} ones lower it. The method is LIME (Ribeiro, Singh and Guestrin 2016).
      </p>
      <p>
        The figure behind ± is two standard errors: with other random draws the weight would stay within it in 19 of 20
        cases. <b>R²</b> says how well the simple sum describes the model near this picture, from 0 to 1. Below 0.2 its
        weights should not be read as reasons.
      </p>
      {kinds.has("audit") && (
        <p>
          For the groups of patches (<i>visual words</i>), all patches of the data set are described by colour, surface,
          size and place, and grouped with k-means. The evidence for a class is the sum of the weights in each group, on
          average over the pictures predicted as that class. The thin mark in each bar shows the group’s share of the
          picture: what its share of the evidence would be if every pixel counted the same.
        </p>
      )}
      <h3>The limits</h3>
      <ul>
        <li>The weights describe the model near the pictures that were looked at, not everywhere.</li>
        <li>
          What hidden patches show matters: if they still show the scene, a model that reads the scene notices little.
          Hidden patches also make pictures that the model was never trained on.
        </li>
        <li>Evidence on the surroundings is no fault where the surroundings rightly belong to the answer.</li>
        <li>
          A shortcut that sticks to the object itself, such as a label on it, or a background that all classes share is
          not found here.
        </li>
        {kinds.has("audit") && (
          <li>
            If in these pictures a class always stands before its own background, a suspicion may be false: the test sees
            that the two go together, and small disturbances of hiding a background then look like reasons. Look at
            pictures of the object elsewhere before you decide.
          </li>
        )}
        <li>Classes with few pictures are judged roughly or not at all.</li>
      </ul>
    </section>
  );
}
