import { FoveaError } from "../../../../shared/errors/error.ts";
import { startsWithAscii } from "../../../../shared/image/header/exif.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";

interface PngExports {
  readonly memory: WebAssembly.Memory;
  decode(at: number, length: number): number;
  __wbindgen_malloc(length: number, align: number): number;
  __wbindgen_free(at: number, length: number, align: number): void;
}

/** A PNG decoder and the heap it works on. */
export interface PngDecoder {
  /** Bytes of the heap; it never shrinks. */
  heapBytes(): number;
  decode(bytes: Uint8Array): DecodedPicture;
}

/**
 * The `png` crate as jSquash builds it, bound by hand: the generated binding needs `ImageData`, which workerd lacks,
 * and copies the picture out of the heap twice. Here it stays where it was decoded.
 *
 * The crate expands palettes, small depths and tRNS to RGBA and keeps the high byte of 16-bit samples.
 */
export function startPng(module: WebAssembly.Module): PngDecoder {
  let picture: DecodedPicture | undefined;
  let kept: { readonly at: number; readonly length: number } | undefined;
  const imports: Record<string, (...args: number[]) => number> = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    // Names end in a hash that changes with every build
    if (name.startsWith("__wbg_newwithownedu8clampedarrayandsh")) {
      imports[name] = (at = 0, length = 0, width = 0, height = 0) => {
        kept = { at, length };
        picture = { data: new Uint8Array(wasm.memory.buffer, at, length), width, height, channels: 4, upright: false };
        return 0;
      };
    } else {
      // A panic, or what only the 16-bit entry calls
      imports[name] = () => {
        throw new FoveaError("invalid_image", "The PNG file is damaged.");
      };
    }
  }
  const instance = new WebAssembly.Instance(module, { wbg: imports });
  const wasm = instance.exports as unknown as PngExports;
  return {
    heapBytes: () => wasm.memory.buffer.byteLength,
    decode(bytes) {
      if (kept !== undefined) wasm.__wbindgen_free(kept.at, kept.length, 1);
      kept = undefined;
      picture = undefined;
      const at = wasm.__wbindgen_malloc(bytes.length, 1);
      copyNeeded(bytes, new Uint8Array(wasm.memory.buffer, at, bytes.length));
      wasm.decode(at, bytes.length);
      if (picture === undefined) throw new FoveaError("invalid_image", "The PNG file is damaged.");
      return picture;
    },
  };
}

const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

/**
 * Copies only the chunks that make pixels. Colour profiles, texts and animation are no business of a decoder: less code
 * reads hostile bytes, and a damaged comment does not cost the picture. Bounds were checked when the header was read.
 */
function copyNeeded(bytes: Uint8Array, into: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  into.set(bytes.subarray(0, 8));
  let to = 8;
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    if (NEEDED.some((type) => startsWithAscii(bytes, type, at + 4))) {
      into.set(bytes.subarray(at, end), to);
      to += end - at;
    }
    if (startsWithAscii(bytes, "IEND", at + 4)) break;
    at = end;
  }
  into.fill(0, to);
}
