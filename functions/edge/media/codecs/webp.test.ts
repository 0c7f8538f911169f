import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../../shared/image/decode-image.ts";
import { chunksOf, vp8x, webp } from "../../../../shared/image/header/bombs.fixture.ts";
import { join } from "../../../../shared/image/header/bytes.fixture.ts";
import { readImageHeader } from "../../../../shared/image/header/read-image-header.ts";
import { codecModules } from "../codec-modules.workerd.ts";
import { createWasmDecoder } from "../wasm-decoder.ts";
import { decodeWebp } from "./webp.ts";
import { PictureHeap } from "./picture-heap.ts";

const decoder = createWasmDecoder(codecModules);
const animated = webp(chunksOf("webp-animated"));

describe("decodeWebp", () => {
  it("never writes a frame that is larger than the picture it has room for", () => {
    const header = readImageHeader(animated);
    for (const small of [{ width: header.width - 1 }, { height: 16 }]) {
      const decode = (): unknown => decodeWebp(new PictureHeap(codecModules.codecs), animated, { ...header, ...small });
      expect(decode).toThrow(expect.objectContaining({ code: "invalid_image" }));
    }
  });

  it("takes nothing of what follows the end that the file states", async () => {
    const still = webp(vp8x(61, 43, 0), chunksOf("webp-lossy"));
    const plain = (await decodeImage(still, decoder)).data.slice();
    // The animation is 56 rows high, the picture 43
    const { data, width, height } = await decodeImage(join(still, chunksOf("webp-animated")), decoder);
    expect([width, height]).toEqual([61, 43]);
    expect(data).toEqual(plain);
  });
});
