/** Memory of one isolate: what the platform gives, and what each Worker may take of it. `npm run bench -- memory` measures. */

const MIB = 1024 * 1024;

/** Cloudflare ends an isolate above this; JavaScript heap and wasm memories count together. Local workerd never does. */
export const ISOLATE_BYTES = 128 * MIB;

/**
 * The one memory that the edge decodes pictures in, whatever their format: what an admitted picture takes most, which is
 * 12.6 MP of JPEG in several scans (72 MiB), 8.4 MP of lossless, transparent WebP (64 and its file), or 12.6 MP of GIF
 * (72); beyond: 400 `image_too_large`.
 */
export const MAX_PICTURE_HEAP_BYTES = 80 * MIB;

/**
 * The edge Worker at its worst admitted request: body 24, its files 18, a codec's heap with one decoded picture 75; not
 * all at once. The rest is code, tokenizers, and the room that a garbage collector needs.
 */
export const EDGE_BUDGET_BYTES = 112 * MIB;

/** The encoder Worker: onnxruntime's heap with one encoder, one job's pixels, and the bytes of a release while it loads. */
export const ENCODER_BUDGET_BYTES = 112 * MIB;
