/** Memory of one isolate: what the platform gives, and what each Worker may take of it. `npm run bench -- memory` measures. */

const MIB = 1024 * 1024;

/** Cloudflare ends an isolate above this; JavaScript heap and wasm memories count together. Local workerd never does. */
export const ISOLATE_BYTES = 128 * MIB;

/**
 * The one memory that the edge decodes pictures in, whatever their format. It holds what the limits of image.ts let through: a
 * JPEG in several scans takes 73 MiB, a GIF 72, a WebP that is lossless and transparent 64 and its file, so that at 8.4 MP
 * the file may have 9; beyond: 400 `image_too_large`.
 */
export const MAX_PICTURE_HEAP_BYTES = 74 * MIB;

/**
 * The edge Worker at its worst admitted requests: the bodies that it holds 24, the pictures' heap 74, the resizer 2. The rest is code,
 * tokenizers, and the room that a garbage collector needs.
 */
export const EDGE_BUDGET_BYTES = 112 * MIB;

/** The encoder Worker: onnxruntime's heap with one encoder, one job's pixels, and the bytes of a release while it loads. */
export const ENCODER_BUDGET_BYTES = 112 * MIB;
