/** Memory of one isolate: what the platform gives, and what each Worker may take of it. `npm run bench -- memory` measures. */

const MIB = 1024 * 1024;

/** Cloudflare ends an isolate above this; JavaScript heap and wasm memories count together. Local workerd never does. */
export const ISOLATE_BYTES = 128 * MIB;

/**
 * The edge Worker at its worst admitted request: body 24, its files 18, a codec's heap with one decoded picture 75; not
 * all at once. The rest is code, tokenizers, and the room that a garbage collector needs.
 */
export const EDGE_BUDGET_BYTES = 112 * MIB;

/** The encoder Worker: onnxruntime's heap with one encoder, one job's pixels, and the bytes of a release while it loads. */
export const ENCODER_BUDGET_BYTES = 112 * MIB;
