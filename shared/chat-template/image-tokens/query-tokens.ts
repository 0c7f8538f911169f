import type { ImageTokenLayout } from "./layout.ts";

const IMAGE = "<image>";

/**
 * BLIP-2 and InstructBLIP (`Blip2Processor`, `InstructBlipProcessor`): the query tokens of all pictures stand first, before
 * the token that begins the text. The template writes none.
 */
export function queryTokensLayout(limits: Pick<ImageTokenLayout, "maxImages"> = {}): ImageTokenLayout {
  return {
    ...limits,
    imageToken: IMAGE,
    inTemplate: false,
    expand: (prompt, images) => prompt.withBefore(images.map(({ features }) => IMAGE.repeat(features)).join("")),
  };
}
