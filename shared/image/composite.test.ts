import { describe, expect, it } from "vitest";
import { toOpaqueRgb } from "./composite.ts";

/** Every colour value with every alpha: row = alpha, column = value. */
function everyPair(): Uint8Array {
  const data = new Uint8Array(256 * 256 * 4);
  for (let i = 0; i < 256 * 256; i += 1) {
    const [value, alpha] = [i % 256, Math.trunc(i / 256)];
    data.set([value, 255 - value, value, alpha], i * 4);
  }
  return data;
}

describe("toOpaqueRgb", () => {
  it("composites every value with every alpha as Pillow's alpha_composite does on white", async () => {
    const picture = { data: everyPair(), width: 256, height: 256, channels: 4, upright: true } as const;
    const rgb = toOpaqueRgb(picture, "composite");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(rgb)));
    // Image.alpha_composite(white, picture).convert("RGB"), Pillow 13.0
    expect(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(
      "919f58cb24914fbf1c5659148178948cb8affcf810fc9bbc7c582b37431fb074",
    );
    expect(rgb.buffer).toBe(picture.data.buffer);
  });

  it("keeps the colours below transparency when it is to be discarded", () => {
    const data = Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 128);
    const picture = { data, width: 2, height: 1, channels: 4, upright: true } as const;
    expect(toOpaqueRgb(picture, "discard")).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });
});
