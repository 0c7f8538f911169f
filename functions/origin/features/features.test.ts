import { describe, expect, it } from "vitest";
import { encodeF16 } from "../../../shared/frame/f16.ts";
import { tensorOf } from "../../../shared/safetensors/dtypes.ts";
import { decodeFeatures } from "./decode-features.ts";
import { FeatureCache, featureCacheKey } from "./feature-cache.ts";

const entry = (rows: number): { rows: number; width: number; values: Float32Array } => ({
  rows,
  width: 4,
  values: new Float32Array(rows * 4),
});

describe("FeatureCache", () => {
  it("keeps within its bytes and drops what was not used for longest", () => {
    const cache = new FeatureCache(3 * 16);
    cache.set("a", entry(1));
    cache.set("b", entry(1));
    cache.set("c", entry(1));
    expect(cache.get("a")).toBeDefined();
    cache.set("d", entry(1));
    expect(cache.get("b")).toBeUndefined();
    expect(cache.get("a")).toBeDefined();
    expect(cache.bytes).toBe(48);
    cache.set("huge", entry(100));
    expect(cache.get("huge")).toBeUndefined();
    cache.set("a", entry(3));
    expect([cache.size, cache.bytes]).toEqual([1, 48]);
  });

  it("crosses neither salts nor contracts", () => {
    const hash = "a".repeat(64);
    const keys = [featureCacheKey("c1", hash, ""), featureCacheKey("c2", hash, ""), featureCacheKey("c1", hash, "s")];
    expect(new Set(keys).size).toBe(3);
  });
});

describe("decodeFeatures", () => {
  it("reads float16, and int8 with a scale per row", () => {
    const f16 = tensorOf("F16", [2, 2], encodeF16(Float32Array.of(1, -2, 0.5, 65504)));
    expect([...decodeFeatures(f16, undefined, 2).values]).toEqual([1, -2, 0.5, 65504]);
    const int8 = tensorOf("I8", [2, 2], Int8Array.of(1, -128, 127, 3));
    const scale = tensorOf("F32", [2], Float32Array.of(0.5, 2));
    expect([...decodeFeatures(int8, scale, 2).values]).toEqual([0.5, -64, 254, 6]);
  });

  it("refuses features of another width before it makes room for them", () => {
    const f16 = tensorOf("F16", [2, 2], new Uint16Array(4));
    expect(() => decodeFeatures(f16, undefined, 4)).toThrow("2 wide; the model takes 4");
  });
});
