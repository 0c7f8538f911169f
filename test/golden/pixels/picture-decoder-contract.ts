import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { bombs } from "../../../shared/image/header/bombs.fixture.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import pictures from "./decode.json" with { type: "json" };

export interface Contract {
  /** Pictures that the decoder refuses with `unsupported_image`. */
  readonly lacks?: RegExp;
  /** Pictures whose samples may differ from Pillow's, and by how much on average. All others are equal in every bit. */
  readonly close?: readonly { readonly pictures: RegExp; readonly meanDifference: number }[];
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

async function inflate(base64: string): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(fromBase64(base64))]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = Math.abs(a.length - b.length) * 255;
  for (let i = 0; i < b.length; i += 1) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / b.length;
}

/** What every picture decoder owes, whatever library stands behind it. One call for each. */
export function describePictureDecoder(create: () => PictureDecoder, { lacks, close = [] }: Contract = {}): void {
  const decoder = create();

  describe(`picture decoder: ${decoder.name}`, () => {
    const read = pictures.filter(({ name }) => lacks?.test(name) !== true);

    it.each(read)("$name is what Pillow makes of it", async ({ name, file, width, height, rgb }) => {
      const image = await decodeImage(fromBase64(file), decoder);
      expect([image.width, image.height], name).toEqual([width, height]);
      const allowed = close.find((row) => row.pictures.test(name))?.meanDifference ?? 0;
      expect(meanDifference(image.data, await inflate(rgb)), name).toBeLessThanOrEqual(allowed);
    });

    it.each(pictures.filter(({ name }) => lacks?.test(name)))("$name is refused with 415", async ({ file }) => {
      await expect(decodeImage(fromBase64(file), decoder)).rejects.toMatchObject({ code: "unsupported_image" });
    });

    it.each(bombs().filter(({ code }) => code !== undefined))("refuses $name", async ({ bytes, code }) => {
      await expect(decodeImage(bytes, decoder)).rejects.toMatchObject({ code });
    });

    it("answers damaged pixels with a client error or a picture of the right size, and the next picture is right", async () => {
      for (const { name, file, width, height } of read.filter(({ name }) => /^(png-rgb|jpeg-4|webp)/.test(name))) {
        const bytes = fromBase64(file);
        for (let n = 1; n <= 6; n += 1) bytes[Math.trunc((bytes.length * (n + 3)) / 11)] ^= 0x5a;
        try {
          const image = await decodeImage(bytes, decoder);
          expect([image.width, image.height], name).toEqual([width, height]);
        } catch (error) {
          expect(error, name).toMatchObject({ name: "FoveaError" });
          expect((error as { status: number }).status, name).toBeLessThan(500);
        }
      }
      const plain = pictures.find(({ name }) => name === "png-rgb");
      const image = await decodeImage(fromBase64(plain?.file ?? ""), decoder);
      expect(meanDifference(image.data, await inflate(plain?.rgb ?? ""))).toBe(0);
    });

    it("leaves the file as it was", async () => {
      for (const { file } of read.filter(({ name }) => name.includes("exif"))) {
        const bytes = fromBase64(file);
        await decodeImage(bytes, decoder);
        expect(bytes).toEqual(fromBase64(file));
      }
    });
  });
}
