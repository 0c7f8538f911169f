import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../../shared/frame/decode.ts";
import { encodeFrame } from "../../../shared/frame/encode.ts";
import { tensorOf } from "../../../shared/safetensors/dtypes.ts";
import { FeatureCache } from "../features/feature-cache.ts";
import { toRequest } from "./to-request.ts";

const digest = "ab".repeat(32);
const [ROWS, WIDTH] = [64, 256];

describe("toRequest", () => {
  it("takes nothing of the frame's memory along to the engine's thread", () => {
    const bytes = encodeFrame({
      meta: {
        protocol: 1,
        model: "m",
        release: digest,
        contract: digest,
        sampling: {},
        features: [{ modality: "image", hash: digest, offset: 1, length: ROWS, tensor: "features.0" }],
      },
      token_ids: new Int32Array(ROWS + 2).fill(3),
      tensors: { "features.0": tensorOf("F16", [ROWS, WIDTH], new Uint16Array(ROWS * WIDTH)) },
    });
    const job = toRequest(decodeFrame(bytes), {
      id: "x",
      hiddenSize: WIDTH,
      features: new FeatureCache(1e6),
      encoded: new Map(),
      deadline: 0,
    });
    expect(job.tokenIds.buffer.byteLength).toBe(4 * (ROWS + 2));
    const [feature] = job.features;
    // Shared between threads, so that it is not copied at all.
    expect(feature?.rows.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(feature?.rows.buffer).not.toBe(bytes.buffer);
  });
});
