import type { ImageTokenLayout } from "./layout.ts";

const IMAGE = "<IMG_CONTEXT>";

/** InternVL (`InternVLProcessor`): one run for all tiles of a picture and its thumbnail, between two marks. */
export const internvlLayout: ImageTokenLayout = {
  imageToken: IMAGE,
  expand: (prompt, images) => prompt.replaceControl(IMAGE, (i) => `<img>${IMAGE.repeat(images[i].features)}</img>`),
};
