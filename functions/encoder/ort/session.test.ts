import { describe, expect, it } from "vitest";
import tiny from "./fixtures/tiny.json";
import { ortHeapBytes } from "./instantiate.ts";
import { createOrtEncoder } from "./session.ts";

const graph = Uint8Array.from(atob(tiny.onnx), (char) => char.charCodeAt(0));

describe("onnxruntime-web in workerd", () => {
  it("loads from the compiled module and answers what native onnxruntime answers", async () => {
    const instantiate = WebAssembly.instantiate;
    const encoder = await createOrtEncoder(graph, []);
    expect(WebAssembly.instantiate).toBe(instantiate);
    const input = { pixel_values: Float32Array.from(tiny.pixel_values), shape: [1, 3, 8, 8] };
    const { image_features, rows, width } = await encoder.encode([input]);
    expect([rows, width]).toEqual([4, 8]);
    const twice = await encoder.encode([input, input]);
    expect([twice.rows, twice.width]).toEqual([8, 8]);
    expect(twice.image_features).toEqual(Float32Array.from([...image_features, ...image_features]));
    for (const [i, value] of tiny.image_features.entries()) expect(image_features[i]).toBeCloseTo(value, 5);
    expect(ortHeapBytes()).toBeGreaterThan(1_000_000);
    expect(encoder.memoryBytes).toBe(ortHeapBytes());
  });

  it("fails on a damaged graph, and the next one loads", async () => {
    await expect(createOrtEncoder(graph.slice(0, 50), [])).rejects.toThrow();
    await expect(createOrtEncoder(graph, [])).resolves.toBeDefined();
  });
});
