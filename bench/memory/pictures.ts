import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import { MAX_JPEG_COEFFICIENT_BYTES } from "../../shared/limits/image.ts";
import encodeJpeg, { init as initJpeg } from "@jsquash/jpeg/encode.js";

/** The largest picture that is admitted (MAX_IMAGE_PIXELS). */
export const WIDTH = 4096;
export const HEIGHT = 3072;

/** Of one pixel in a decoder that holds all coefficients: three components without subsampling, 16 bits each. */
const COEFFICIENT_BYTES = 6;

/** Noise of a few bits, seeded: compresses to close below the limit of a file. */
function noise(width: number, height: number, bits: number): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(width * height * 4);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = 100 + (state >>> (32 - bits));
  }
  return data;
}

/** RGBA of 4096 x 3072: the form that takes a decoder most. */
export function worstPng(): Buffer {
  const pixels = noise(WIDTH, HEIGHT, 1);
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 4));
  for (let y = 0; y < HEIGHT; y++)
    rows.set(pixels.subarray(y * WIDTH * 4, (y + 1) * WIDTH * 4), y * (1 + WIDTH * 4) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A baseline JPEG of 4096 x 3072, or a progressive one of a size for which a decoder may hold all coefficients. */
export async function worstJpeg(progressive: boolean): Promise<Buffer> {
  const wasm = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm");
  await initJpeg(await WebAssembly.compile(await readFile(wasm)));
  const width = progressive ? Math.floor(MAX_JPEG_COEFFICIENT_BYTES / COEFFICIENT_BYTES / HEIGHT) : WIDTH;
  const image = { data: noise(width, HEIGHT, 6), width, height: HEIGHT, colorSpace: "srgb" } as ImageData;
  return Buffer.from(await encodeJpeg(image, { quality: 80, progressive }));
}
