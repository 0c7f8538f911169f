import type { ImageFeatureGrid, ImageTokenLayout } from "./layout.ts";

const AROUND = "<fake_token_around_image>";
const IMAGE = "<image>";

/**
 * Idefics2 (`Idefics2Processor`): each of the picture's views (five, one without splitting) between two marks, two marks in a row become one. A mark
 * that is followed by neither white space nor `<` is given a space.
 */
export const idefics2Layout: ImageTokenLayout = {
  imageToken: IMAGE,
  expand(prompt, images) {
    const expanded = prompt.replaceControl(IMAGE, (i) => viewsOf(images[i]));
    const single = expanded.replaceControl(AROUND + AROUND, () => AROUND);
    return single.spaceAfter(AROUND);
  },
};

function viewsOf({ features, frames = 5 }: ImageFeatureGrid): string {
  return `${AROUND}${IMAGE.repeat(features / frames)}${AROUND}`.repeat(frames);
}
