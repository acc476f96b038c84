// How the report was made and what it cannot say, for readers who have never heard of LIME.
import type { PaletteName } from "../draw/overlay.ts";

export function Method({ kinds, palette }: { kinds: ReadonlySet<"audit" | "log">; palette: PaletteName }) {
  const [plus, minus] = palette === "green-red" ? ["Green", "red"] : ["Blue", "orange"];
  return (
    <section class="method">
      <h2>How this was found, and what it cannot say</h2>
      <h3>The method</h3>
      <p>
        Each image is cut into some fifty regions of similar colour, its superpixels. Superpixels are hidden at random, some
        hundred times, and each time the model is asked again. A simple weighted sum is then fitted to its answers: the{" "}
        <b>weight</b> of a superpixel says by how much the model’s probability rises when the superpixel is shown instead of
        hidden. {plus} superpixels raise it, {minus} ones lower it. The method is LIME (Ribeiro, Singh and Guestrin 2016).
      </p>
      <p>
        The figure behind ± is two standard errors: with other random draws the weight would stay within it in 19 of 20
        cases. <b>R²</b> says how well the simple sum describes the model near this image, from 0 to 1. Below 0.2 its
        weights should not be read as reasons.
      </p>
      {kinds.has("audit") && (
        <p>
          For the groups of superpixels (<i>visual words</i>), all superpixels of the data set are described by colour, surface,
          size and place, and grouped with k-means. The evidence for a class is the sum of the weights in each group, on
          average over the images predicted as that class. The thin mark in each bar shows the group’s share of the
          image: what its share of the evidence would be if every pixel counted the same.
        </p>
      )}
      <h3>The limits</h3>
      <ul>
        <li>The weights describe the model near the images that were looked at, not everywhere.</li>
        <li>
          What hidden superpixels show matters: if they still show the scene, a model that reads the scene notices little.
          Hidden superpixels also make images that the model was never trained on.
        </li>
        <li>Evidence on the surroundings is no fault where the surroundings rightly belong to the answer.</li>
        <li>
          A shortcut that sticks to the object itself, such as a label on it, or a background that all classes share is
          not found here.
        </li>
        {kinds.has("audit") && (
          <li>
            If in these images a class always stands before its own background, a suspicion may be false: the test sees
            that the two go together, and small disturbances of hiding a background then look like reasons. Look at
            images of the object elsewhere before you decide.
          </li>
        )}
        <li>Classes with few images are judged roughly or not at all.</li>
      </ul>
    </section>
  );
}
