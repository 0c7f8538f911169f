import { describe, expect, it } from "vitest";
import { readInto } from "./read-object.ts";

const bytes = new Uint8Array(200_000).map((_, i) => i * 7);

/** In pieces of an odd size; `kind` "bytes" is what stores, caches and fetch give. */
function streamOf(kind: "bytes" | "plain"): ReadableStream<Uint8Array> {
  let at = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array> | ReadableByteStreamController): void => {
    if (at === bytes.length) {
      controller.close();
      // A reader with a buffer of its own is waiting, and gets it back.
      if ("byobRequest" in controller) controller.byobRequest?.respond(0);
      return;
    }
    const end = Math.min(bytes.length, at + 7_777);
    controller.enqueue(bytes.slice(at, end));
    at = end;
  };
  return kind === "bytes" ? new ReadableStream({ type: "bytes", pull }) : new ReadableStream({ pull });
}

describe("readInto", () => {
  for (const kind of ["bytes", "plain"] as const) {
    const read = (target: Uint8Array) =>
      readInto({ name: "test", get: () => Promise.resolve(streamOf(kind)) }, "key", target);

    it(`puts a ${kind} stream into its place`, async () => {
      const target = new Uint8Array(bytes.length);
      expect(await read(target)).toBe(bytes.length);
      expect(target).toEqual(bytes);
    });

    it(`tells how much a short ${kind} stream had`, async () => {
      const target = new Uint8Array(bytes.length + 5);
      expect(await read(target)).toBe(bytes.length);
      expect(target.subarray(bytes.length)).toEqual(new Uint8Array(5));
    });

    it(`stops a ${kind} stream that has more than fits`, async () => {
      expect(await read(new Uint8Array(bytes.length - 1))).toBe(-1);
      expect(await read(new Uint8Array())).toBe(-1);
    });
  }
});
