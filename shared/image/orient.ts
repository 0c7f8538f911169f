import { swapsSides, type Orientation } from "./header/image-header.ts";
import type { RgbImage } from "./rgb-image.ts";

/**
 * Turns a stored picture upright. Mirrors and half turns happen in place; quarter turns need a second picture, since
 * rows become columns.
 *
 * Source: EXIF 2.32, 4.6.4 (Orientation); the same as Pillow's `ImageOps.exif_transpose`.
 */
export function orient(image: RgbImage, orientation: Orientation): RgbImage {
  if (orientation === 1) return image;
  if (swapsSides(orientation)) return transpose(image, orientation === 6 || orientation === 7, orientation >= 7);
  if (orientation !== 2) flipRows(image);
  if (orientation !== 4) mirrorRows(image);
  return image;
}

/** Top and bottom change places. */
function flipRows({ data, width, height }: RgbImage): void {
  const stride = width * 3;
  const row = new Uint8Array(stride);
  for (let top = 0, bottom = height - 1; top < bottom; top += 1, bottom -= 1) {
    row.set(data.subarray(top * stride, top * stride + stride));
    data.copyWithin(top * stride, bottom * stride, bottom * stride + stride);
    data.set(row, bottom * stride);
  }
}

/** Left and right change places. */
function mirrorRows({ data, width, height }: RgbImage): void {
  for (let y = 0; y < height; y += 1) {
    let left = y * width * 3;
    let right = left + (width - 1) * 3;
    for (; left < right; left += 3, right -= 3) {
      for (let c = 0; c < 3; c += 1) {
        const sample = data[left + c] ?? 0;
        data[left + c] = data[right + c] ?? 0;
        data[right + c] = sample;
      }
    }
  }
}

/** New row y, column x is old row x, column y; read from the bottom up (quarter turn clockwise), from the right, or both. */
function transpose({ data, width, height }: RgbImage, fromBottom: boolean, fromRight: boolean): RgbImage {
  const turned = new Uint8Array(data.length);
  const stride = width * 3;
  const step = fromBottom ? -stride : stride;
  let to = 0;
  for (let y = 0; y < width; y += 1) {
    const column = (fromRight ? width - 1 - y : y) * 3;
    let from = column + (fromBottom ? (height - 1) * stride : 0);
    for (let x = 0; x < height; x += 1, from += step, to += 3) {
      turned[to] = data[from] ?? 0;
      turned[to + 1] = data[from + 1] ?? 0;
      turned[to + 2] = data[from + 2] ?? 0;
    }
  }
  return { data: turned, width: height, height: width };
}
