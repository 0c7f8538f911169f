import type { Backbone } from "../backbones/backbone.ts";
import { cacheValues } from "../backbones/cache-array.ts";

/** Tokens of the prompt that warms up: enough to take the kernels of long products. */
const PROMPT_TOKENS = 16;

/**
 * Runs one prompt and one step, so that the runtime's arenas and packed weights stand before the first request: that one
 * would otherwise take several times as long. A graph that cannot run at all, or does not read prompts as its release says,
 * fails here, before readiness.
 */
export async function warmUp(backbone: Backbone): Promise<void> {
  const kv = backbone.open(PROMPT_TOKENS + 1);
  try {
    await backbone.prefill(kv, await backbone.embed(new Int32Array(PROMPT_TOKENS)));
    await backbone.decode([{ kv, embeds: await backbone.embed(new Int32Array(1)) }]);
  } finally {
    backbone.close(kv);
  }
  await checkAttention(backbone);
}

/** What a provider's sums may differ by from run to run; a second token changes the first by far more. */
const ROUNDING = 1e-3;

/**
 * A causal graph keeps the same of a token whatever follows it, one with prefix attention does not. Answers of the wrong
 * kind would look like answers. One layer cannot tell, and neither can activations that share a scale.
 */
async function checkAttention(backbone: Backbone): Promise<void> {
  const { attention, entangled, layers } = backbone.spec;
  if (entangled || layers < 2) return;
  const one = await firstOfTwo(backbone, 1);
  const other = await firstOfTwo(backbone, -1);
  const largest = one.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const differs = one.some((value, i) => Math.abs(value - (other[i] ?? 0)) > ROUNDING * largest);
  const found = differs ? "prefix" : "causal";
  if (found !== attention) {
    throw new Error(`The release says ${attention} attention over prompts, the backbone's graph has ${found}.`);
  }
}

/** What is cached of a token that another follows. */
async function firstOfTwo(backbone: Backbone, follows: number): Promise<Float32Array> {
  const { hiddenSize } = backbone.spec;
  const kv = backbone.open(2);
  try {
    await backbone.prefill(
      kv,
      Float32Array.from({ length: 2 * hiddenSize }, (_, i) => (i < hiddenSize ? Math.sin(i) : follows * Math.cos(i))),
    );
    return cacheValues(backbone.readBlock(kv, 0, 1));
  } finally {
    backbone.close(kv);
  }
}
