import { FoveaError } from "../../errors/error.ts";
import type { ImageTokenLayout } from "./layout.ts";

const IMAGE = "<image>";

/** PaliGemma (`PaliGemmaProcessor`): `<bos>` stands after the last picture, a newline ends the prompt. */
export const paligemmaLayout: ImageTokenLayout = {
  imageToken: IMAGE,
  writesSpecialTokens: true,
  expand(prompt, images) {
    if (images.length === 0) {
      throw new FoveaError("invalid_request", "This model reads a picture with every prompt. Send one.", {
        param: "messages",
      });
    }
    const last = images.length - 1;
    return prompt
      .replaceControl(IMAGE, (i) => IMAGE.repeat(images[i].features) + (i === last ? "<bos>" : ""))
      .append("\n");
  },
};
