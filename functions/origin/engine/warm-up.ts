import type { Backbone } from "../backbones/backbone.ts";

/** Tokens of the prompt that warms up: enough to take the kernels of long products. */
const PROMPT_TOKENS = 16;

/**
 * Runs one prompt and one step, so that the runtime's arenas and packed weights stand before the first request: that one
 * would otherwise take several times as long. A graph that cannot run at all fails here, before readiness.
 */
export async function warmUp(backbone: Backbone): Promise<void> {
  const kv = backbone.open(PROMPT_TOKENS + 1);
  try {
    await backbone.prefill(kv, await backbone.embed(new Int32Array(PROMPT_TOKENS)));
    await backbone.decode([{ kv, embeds: await backbone.embed(new Int32Array(1)) }]);
  } finally {
    backbone.close(kv);
  }
}
