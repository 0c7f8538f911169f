import type { ImageTokenLayout } from "./layout.ts";

const AROUND = "<fake_token_around_image>";
const IMAGE = "<image>";

/**
 * Idefics2 (`Idefics2Processor`): each of the picture's five views between two marks, two marks in a row become one. A mark
 * that is followed by neither white space nor `<` is given a space.
 */
export function idefics2Layout(views: number): ImageTokenLayout {
  return {
    imageToken: IMAGE,
    expand(prompt, images) {
      const expanded = prompt.replaceControl(IMAGE, (i) =>
        `${AROUND}${IMAGE.repeat(images[i].features / views)}${AROUND}`.repeat(views),
      );
      const single = expanded.replaceControl(AROUND + AROUND, () => AROUND);
      return single.spaceAfter(AROUND);
    },
  };
}
