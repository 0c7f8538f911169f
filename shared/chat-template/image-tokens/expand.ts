import { FoveaError } from "../../errors/error.ts";
import type { PromptText } from "../prompt-text.ts";
import { idefics2Layout } from "./idefics2.ts";
import { internvlLayout } from "./internvl.ts";
import type { ImageFeatureGrid, ImageTokenLayout } from "./layout.ts";
import { paligemmaLayout } from "./paligemma.ts";
import { queryTokensLayout } from "./query-tokens.ts";
import { repeatLayout } from "./repeat.ts";
import { smolvlmLayout } from "./smolvlm.ts";

const LAYOUTS: Readonly<Record<string, ImageTokenLayout | undefined>> = {
  llava: repeatLayout("<image>"),
  llava_next: repeatLayout("<image>"),
  llava_onevision: repeatLayout("<image>"),
  qwen2_vl: repeatLayout("<|image_pad|>"),
  qwen2_5_vl: repeatLayout("<|image_pad|>"),
  glm4v: repeatLayout("<|image|>"),
  idefics3: smolvlmLayout,
  smolvlm: smolvlmLayout,
  idefics2: idefics2Layout,
  instructblip: queryTokensLayout(),
  "blip-2": queryTokensLayout({ maxImages: 1 }),
  internvl: internvlLayout,
  paligemma: paligemmaLayout,
};

/** The layout of a `model_type` of config.json; undefined when the family is not known. */
export function imageTokenLayout(modelType: string): ImageTokenLayout | undefined {
  return LAYOUTS[modelType];
}

/**
 * Expands the image tokens of a rendered prompt, as the processors of `transformers` do. Throws `invalid_request` when the
 * template wrote another number of pictures than there are.
 */
export function expandImageTokens(
  prompt: PromptText,
  layout: ImageTokenLayout,
  images: readonly ImageFeatureGrid[],
): PromptText {
  const written = layout.inTemplate === false ? images.length : prompt.countControl(layout.imageToken);
  if (written !== images.length) {
    throw new FoveaError(
      "invalid_request",
      `The model's chat template places ${written} pictures, the messages hold ${images.length}.`,
      { param: "messages" },
    );
  }
  return layout.expand(prompt, images);
}
