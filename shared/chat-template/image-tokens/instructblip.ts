import type { ImageTokenLayout } from "./layout.ts";

const IMAGE = "<image>";

/** InstructBLIP (`InstructBlipProcessor`): the query tokens of all pictures stand first, before `<s>`. */
export const instructblipLayout: ImageTokenLayout = {
  imageToken: IMAGE,
  expand: (prompt, images) => prompt.withBefore(images.map(({ features }) => IMAGE.repeat(features)).join("")),
};
