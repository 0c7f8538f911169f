import type { ImageTokenLayout } from "./layout.ts";

/** LLaVA, LLaVA-NeXT, LLaVA-OneVision, Qwen2-VL, GLM-4V: the token once per feature row. */
export function repeatLayout(imageToken: string): ImageTokenLayout {
  return {
    imageToken,
    expand: (prompt, images) => prompt.replaceControl(imageToken, (i) => imageToken.repeat(images[i].features)),
  };
}
