import type { DecodedPicture } from "./picture-decoder.ts";

/**
 * Composites RGBA on white and packs it to RGB, in place: the RGB rows take the front of the same buffer.
 *
 * For an opaque backdrop Pillow's `alpha_composite` comes down to one fixed-point blend with 7 extra bits, divided by
 * 255 through shifts; where alpha is 0 it takes the backdrop as it is. The same numbers come out here.
 *
 * Source: Pillow, src/libImaging/AlphaComposite.c.
 *
 * @param data `[pixels, 4]` u8
 * @returns `[pixels, 3]` u8, a view on the first three quarters of `data`
 */
function compositeOnWhite(data: Uint8Array, pixels: number): Uint8Array {
  for (let from = 0, to = 0; to < pixels * 3; from += 4, to += 3) {
    const r = data[from] ?? 0;
    const g = data[from + 1] ?? 0;
    const b = data[from + 2] ?? 0;
    const alpha = data[from + 3] ?? 0;
    if (alpha === 255) {
      data[to] = r;
      data[to + 1] = g;
      data[to + 2] = b;
    } else {
      const white = 255 * (255 - alpha);
      data[to] = divide(r * alpha + white);
      data[to + 1] = divide(g * alpha + white);
      data[to + 2] = divide(b * alpha + white);
    }
  }
  return data.subarray(0, pixels * 3);
}

/** A sum of products with alpha (0 .. 65,025) -> 8 bits, rounded as Pillow rounds it. */
function divide(sum: number): number {
  const value = (sum << 7) + (0x80 << 7);
  return (((value >>> 8) + value) >>> 8) >>> 7;
}

/**
 * What becomes of transparency: `composite` on white, as upstream's image processors do, or `discard` (the colours
 * below it show), as Idefics2's processor does by converting to RGB before its image processor sees the picture.
 */
export type Transparency = "composite" | "discard";

/** Packs RGBA to RGB in place and forgets the alpha. */
function discardAlpha(data: Uint8Array, pixels: number): Uint8Array {
  for (let from = 0, to = 0; to < pixels * 3; from += 4, to += 3) {
    data[to] = data[from] ?? 0;
    data[to + 1] = data[from + 1] ?? 0;
    data[to + 2] = data[from + 2] ?? 0;
  }
  return data.subarray(0, pixels * 3);
}

/** The opaque RGB samples of a decoded picture. Overwrites the picture's buffer. */
export function toOpaqueRgb({ data, width, height, channels }: DecodedPicture, transparency: Transparency): Uint8Array {
  if (channels === 3) return data;
  return (transparency === "composite" ? compositeOnWhite : discardAlpha)(data, width * height);
}
