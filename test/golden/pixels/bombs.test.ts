import { describe, expect, it } from "vitest";
import { FoveaError } from "../../../shared/errors/error.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { bombs } from "../../../shared/image/header/bombs.fixture.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";

const MIB = 1024 * 1024;
const RUNS = 5;

let reached = 0;
const decoder: PictureDecoder = {
  name: "counts",
  decode() {
    reached += 1;
    return Promise.reject(new FoveaError("invalid_image", "reached"));
  },
};

function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that one refusal takes: the least of some runs, since a test runner allocates beside it. */
async function cost(bytes: Uint8Array): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const before = allocated();
    await decodeImage(bytes, decoder).catch(() => undefined);
    const grown = allocated() - before;
    // A collection in between counts for nothing
    if (grown >= 0) least = Math.min(least, grown);
  }
  return least;
}

describe("what a hostile picture costs", () => {
  it.each(bombs().filter(({ code }) => code !== undefined))("$name: no decoder, at most 1 MiB", async ({ bytes }) => {
    reached = 0;
    const least = await cost(bytes);
    expect(reached).toBe(0);
    expect(least).toBeLessThan(MIB);
  });

  it("would be seen: the same count for two megabytes", async () => {
    const before = allocated();
    const held = new Uint8Array(2 * MIB).fill(1);
    expect(allocated() - before + (held[0] ?? 0)).toBeGreaterThan(MIB);
  });
});
