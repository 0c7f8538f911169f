import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../../shared/image/decode-image.ts";
import { fileOf } from "../../../../shared/image/header/bombs.fixture.ts";
import { be, join, le, type Part } from "../../../../shared/image/header/bytes.fixture.ts";
import { readImageHeader } from "../../../../shared/image/header/read-image-header.ts";
import cases from "../../../../test/golden/pixels/decode.json" with { type: "json" };
import { codecModules } from "../codec-modules.workerd.ts";
import { createWasmDecoder } from "../wasm-decoder.ts";
import { PictureHeap } from "./picture-heap.ts";
import { decodePng } from "./png.ts";

const decoder = createWasmDecoder(codecModules);

function stored(name: string): Uint8Array {
  return fileOf(cases.find((picture) => picture.name === name)?.file ?? "");
}

async function pixels(bytes: Uint8Array): Promise<{ width: number; height: number; data: Uint8Array }> {
  const { width, height, data } = await decodeImage(bytes, decoder);
  return { width, height, data: data.slice() };
}

/** Where the nth (from 0) such marker of a JPEG stands. */
function markerAt(bytes: Uint8Array, marker: number, nth = 0): number {
  let at = -1;
  for (let n = 0; n <= nth; n += 1) {
    do at = bytes.indexOf(0xff, at + 1);
    while (bytes[at + 1] !== marker);
  }
  return at;
}

function inserted(bytes: Uint8Array, at: number, ...parts: readonly Part[]): Uint8Array {
  return join(bytes.subarray(0, at), ...parts, bytes.subarray(at));
}

/** SOF of 4000 x 3000 in 4:2:0. */
function frame(marker: number): Part {
  return [0xff, marker, 0, 17, 8, ...be(3000, 2), ...be(4000, 2), 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
}

const progressive = stored("jpeg-progressive");
const baseline = stored("jpeg-420");
const png = stored("png-rgb");
const gif = stored("gif");

describe("a second statement of a picture's size", () => {
  it("in a PNG is no header to libspng either", () => {
    const twice = inserted(png, 33, png.subarray(8, 33));
    const decode = (): unknown => decodePng(new PictureHeap(codecModules.codecs), twice, readImageHeader(png));
    expect(decode).toThrow(expect.objectContaining({ code: "invalid_image" }));
  });

  it("between the scans of a JPEG is refused by the decoder", async () => {
    const between = inserted(progressive, markerAt(progressive, 0xda, 1), frame(0xc2));
    await expect(pixels(between)).rejects.toMatchObject({ code: "invalid_image" });
  });

  const later = join([0x2c], le(0, 2), le(0, 2), le(5000, 2), le(5000, 2), [0, 2, 1, 0x44, 0]);
  const control = join(be(0, 4), be(5000, 4), be(5000, 4), be(0, 4), be(0, 4), be(1, 4), [0, 0]);
  const lying = stored("bmp-24");
  lying.set(le(1, 4), 2);
  lying.set(le(0x7fffffff, 4), 34);
  it.each([
    ["behind the scan of a JPEG", baseline, inserted(baseline, baseline.length - 2, frame(0xc0))],
    [
      "in lines (DNL) between the scans of a JPEG",
      progressive,
      inserted(progressive, markerAt(progressive, 0xda, 1), [0xff, 0xdc, 0, 4, 0x20, 0]),
    ],
    ["in a frame of an APNG", png, inserted(png, 33, be(26, 4), "fcTL", control, be(0, 4))],
    ["in a later frame of a GIF", gif, inserted(gif, gif.length - 1, later)],
    ["in the sizes in bytes of a BMP", stored("bmp-24"), lying],
  ])("%s changes nothing", async (_, plain, changed) => {
    expect(await pixels(changed)).toEqual(await pixels(plain));
  });

  it("in a GIF's first frame, beyond its screen, counts before the limits are checked", async () => {
    const small = gif.slice();
    small.set([...le(2, 2), ...le(2, 2)], 6);
    expect(await pixels(small)).toEqual(await pixels(gif));
  });
});
