import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../../shared/image/decode-image.ts";
import { fileOf } from "../../../../shared/image/header/bombs.fixture.ts";
import { MAX_PICTURE_HEAP_BYTES } from "../../../../shared/limits/isolate.ts";
import pictures from "../../../../test/golden/pixels/decode.json" with { type: "json" };
import { codecModules } from "../codec-modules.workerd.ts";
import { createWasmDecoder } from "../wasm-decoder.ts";
import { worstPictures } from "../worst-pictures.fixture.ts";
import { decodeJpeg } from "./jpeg.ts";
import { PictureHeap, readParts } from "./picture-heap.ts";

const nothing = readParts([]);
const jpeg = fileOf(pictures.find(({ name }) => name === "jpeg-420")?.file ?? "");
const header = { format: "jpeg", width: 61, height: 43, depth: 8, color: "rgb", alpha: false, frames: 1 } as const;

function newHeap(): PictureHeap {
  return new PictureHeap(codecModules.codecs);
}

function decodeOn(heap: PictureHeap): Uint8Array {
  return decodeJpeg(heap, jpeg, { ...header, orientation: 1 }).data.slice();
}

/** Everything that a decode finds. */
function contents(heap: PictureHeap): Uint8Array {
  return heap.use("test", nothing, ({ view }) => view(0, heap.bytes).slice());
}

describe("PictureHeap", () => {
  it(
    "holds the largest picture of every format, one after another, within its limit and in one memory",
    { timeout: 60_000 },
    async () => {
      const decoder = createWasmDecoder(codecModules);
      const small = pictures.find(({ name }) => name === "png-rgb");
      let last: Uint8Array | undefined;
      for (const { name, bytes } of await worstPictures()) {
        const { data } = await decodeImage(bytes, decoder);
        // One memory: what lay in it before is detached
        expect(last?.length ?? 0, name).toBe(0);
        expect(data.buffer.byteLength, name).toBeLessThanOrEqual(MAX_PICTURE_HEAP_BYTES);
        const { data: next } = await decodeImage(fileOf(small?.file ?? ""), decoder);
        expect(data.length, name).toBe(0);
        last = next;
      }
    },
  );

  it("begins every picture as a new heap would, whatever lay there", () => {
    const heap = newHeap();
    heap.use("test", nothing, ({ codecs, view }) => view(codecs.allocate(3e6), 3e6).fill(0xab));
    decodeOn(heap);
    const found = contents(heap);
    const fresh = contents(newHeap());
    expect(found.length).toBeGreaterThan(3e6);
    expect(found.subarray(0, fresh.length)).toEqual(fresh);
    expect(found.subarray(fresh.length).some((byte) => byte !== 0)).toBe(false);
  });

  it.each([
    ["returns", false],
    ["fails", true],
  ])("decodes right after a decode that has overwritten the whole heap and %s", (_, fails) => {
    const heap = newHeap();
    const right = decodeOn(heap);
    const spoil = (): void =>
      heap.use("test", nothing, ({ view }) => {
        view(0, heap.bytes).fill(0xff);
        if (fails) throw new Error("spoilt");
      });
    if (fails) expect(spoil).toThrow("spoilt");
    else spoil();
    expect(decodeOn(heap)).toEqual(right);
  });

  it("decodes right after a trap", () => {
    const heap = newHeap();
    const right = decodeOn(heap);
    for (let n = 0; n < 3; n += 1) {
      expect(() =>
        heap.use("JPEG", readParts([jpeg]), ({ codecs }) => codecs.decode_jpeg(0xfffff000, 61, 43, 0, 3, 183)),
      ).toThrow(WebAssembly.RuntimeError);
      expect(decodeOn(heap)).toEqual(right);
    }
  });

  it("refuses what does not fit, and goes on", () => {
    const heap = newHeap();
    const right = decodeOn(heap);
    const greedy = (): unknown => heap.use("PNG", nothing, ({ codecs }) => codecs.allocate(MAX_PICTURE_HEAP_BYTES));
    expect(greedy).toThrow(expect.objectContaining({ code: "image_too_large" }));
    expect(decodeOn(heap)).toEqual(right);
  });
});

describe("readParts", () => {
  it("hands over parts of every length through rooms of every length", () => {
    const parts = [[], [1], [2, 3], [], [4, 5, 6, 7], []].map((part) => Uint8Array.from(part));
    for (let room = 1; room < 9; room += 1) {
      const read = readParts(parts);
      const got: number[] = [];
      for (let into = new Uint8Array(room), length = read(into); length > 0; length = read(into)) {
        got.push(...into.subarray(0, length));
      }
      expect(got).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(read(new Uint8Array(room))).toBe(0);
    }
  });
});
