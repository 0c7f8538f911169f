import { describe, expect, it } from "vitest";
import type { ImageHeader } from "../../../shared/image/header/image-header.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import { createEdgeDecoder, edgeDecoder } from "./edge-decoder.ts";

const wasm: PictureDecoder = { name: "wasm", decode: () => Promise.reject(new Error("wasm was asked")) };
const header: ImageHeader = {
  format: "avif",
  width: 4,
  height: 4,
  depth: 8,
  color: "rgb",
  alpha: false,
  frames: 1,
  orientation: 1,
};

describe("createEdgeDecoder", () => {
  it("asks the binding for AVIF alone", async () => {
    const images = { input: () => ({ output: () => Promise.reject(new Error("away")) }) } as unknown as ImagesBinding;
    const decoder = createEdgeDecoder(wasm, images);
    const failed = decoder.decode(new Uint8Array(8), header);
    await expect(failed).rejects.toMatchObject({ code: "overloaded" });
    await expect(decoder.decode(new Uint8Array(8), { ...header, format: "png" })).rejects.toThrow("wasm was asked");
  });

  it("is the wasm decoder where no binding is", () => {
    expect(createEdgeDecoder(wasm, undefined)).toBe(wasm);
    expect(edgeDecoder.name).toContain("wasm");
  });
});
