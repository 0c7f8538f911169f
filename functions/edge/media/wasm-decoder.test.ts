import { describe, expect, it } from "vitest";
import cases from "../../../test/golden/pixels/decode.json";
import { codecModules } from "./codec-modules.workerd.ts";
import { decodeImage } from "./decode-image.ts";
import { createWasmDecoder } from "./wasm-decoder.ts";

const decoder = createWasmDecoder(codecModules);

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Largest difference of two pictures, and how many samples differ. */
function difference(a: Uint8Array, b: Uint8Array): { most: number; count: number } {
  let most = 0;
  let count = 0;
  for (let i = 0; i < b.length; i += 1) {
    const distance = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    most = Math.max(most, distance);
    count += distance > 0 ? 1 : 0;
  }
  return { most, count };
}

describe("decodeImage", () => {
  it.each(cases)("$name is what Pillow makes of it", async ({ name, file, width, height, rgb }) => {
    const image = await decodeImage(fromBase64(file), decoder);
    expect([image.width, image.height], name).toEqual([width, height]);
    expect(difference(image.data, await inflate(fromBase64(rgb)))).toEqual({ most: 0, count: 0 });
  });
});
