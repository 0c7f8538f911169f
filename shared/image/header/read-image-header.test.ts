import { describe, expect, it } from "vitest";
import cases from "../../../test/golden/pixels/decode.json";
import { MAX_IMAGE_FILE_BYTES } from "../../limits/image.ts";
import { decodeImage } from "../decode-image.ts";
import type { PictureDecoder } from "../picture-decoder.ts";
import { bombs, fileOf } from "./bombs.fixture.ts";
import { readImageHeader } from "./read-image-header.ts";

/** A decoder that nothing may reach. */
const unreachable: PictureDecoder = {
  name: "none",
  decode: () => Promise.reject(new Error("a decoder was reached")),
};

describe("readImageHeader", () => {
  it.each(cases.filter(({ name }) => !name.includes("exif")))("reads the size of $name", ({ file, width, height }) => {
    expect(readImageHeader(fileOf(file))).toMatchObject({ width, height, orientation: 1 });
  });

  it.each(cases.filter(({ name }) => name.includes("exif")))("reads the orientation of $name", ({ name, file }) => {
    expect(readImageHeader(fileOf(file)).orientation).toBe(Number(name.at(-1)));
  });

  it.each([
    ["png-16bit-rgba", { format: "png", depth: 16, color: "rgb", alpha: true, frames: 1 }],
    ["png-palette-2bit", { format: "png", depth: 2, color: "palette", alpha: false }],
    ["png-rgb-trns", { format: "png", depth: 8, color: "rgb", alpha: true }],
    ["jpeg-cmyk", { format: "jpeg", depth: 8, color: "cmyk", alpha: false }],
    ["jpeg-grey", { format: "jpeg", color: "grey" }],
    ["webp-lossy-alpha", { format: "webp", alpha: true, frames: 1 }],
    ["webp-animated", { format: "webp", frames: 2 }],
    ["gif-animated", { format: "gif", frames: 2 }],
    ["gif-transparent", { format: "gif", alpha: true, color: "palette" }],
    ["bmp-1", { format: "bmp", depth: 1, color: "palette" }],
  ])("%s is %o", (name, header) => {
    expect(readImageHeader(fileOf(cases.find((picture) => picture.name === name)?.file ?? ""))).toMatchObject(header);
  });

  it("reads depth, turn and alpha of AVIF item properties", () => {
    const file = bombs().find(({ code }) => code === undefined);
    expect(readImageHeader(file?.bytes ?? new Uint8Array())).toEqual({
      format: "avif",
      width: 640,
      height: 427,
      depth: 10,
      color: "rgb",
      alpha: true,
      frames: 1,
      orientation: 8,
    });
  });

  it("answers every cut and every flipped byte of every picture with a header or a client error", () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % below;
    };
    for (const { file } of cases) {
      const bytes = fileOf(file);
      for (let n = 0; n < 60; n += 1) {
        const damaged = n % 2 === 0 ? bytes.slice(0, random(bytes.length)) : bytes.slice();
        if (damaged.length > 0) damaged[random(Math.min(damaged.length, 200))] = random(256);
        try {
          readImageHeader(damaged);
        } catch (error) {
          expect(error).toMatchObject({
            name: "FoveaError",
            status: expect.toSatisfy((s: number) => s < 500) as number,
          });
        }
      }
    }
  });
});

describe("pictures that are refused before a decoder", () => {
  it.each(bombs().filter(({ code }) => code !== undefined))("$name: $code", async ({ bytes, code }) => {
    await expect(decodeImage(bytes, unreachable)).rejects.toMatchObject({ code });
  });

  it("nothing, and too much of it", async () => {
    await expect(decodeImage(new Uint8Array(), unreachable)).rejects.toMatchObject({ code: "invalid_image" });
    const long = new Uint8Array(MAX_IMAGE_FILE_BYTES + 1);
    await expect(decodeImage(long, unreachable)).rejects.toMatchObject({ code: "image_too_large" });
  });
});
