import type { ImageFeatureGrid, ImageTokenLayout } from "./layout.ts";

const AROUND = "<fake_token_around_image>";
const IMAGE = "<image>";

/** Idefics3 and SmolVLM (`get_image_prompt_string`): tiles by row and column, then the global view. */
export const smolvlmLayout: ImageTokenLayout = {
  imageToken: IMAGE,
  expand: (prompt, images) => prompt.replaceControl(IMAGE, (i) => pictureOf(images[i])),
};

function pictureOf({ features, tileRows = 0, tileColumns = 0 }: ImageFeatureGrid): string {
  const tokens = IMAGE.repeat(features / (tileRows * tileColumns + 1));
  let text = "";
  for (let row = 1; row <= tileRows; row++) {
    for (let column = 1; column <= tileColumns; column++) text += `${AROUND}<row_${row}_col_${column}>${tokens}`;
    text += "\n";
  }
  return `${text}${text === "" ? "" : "\n"}${AROUND}<global-img>${tokens}${AROUND}`;
}
