import type { RgbImage } from "./rgb-image.ts";

/** A part of a picture, copied. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (left === 0 && top === 0 && width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
}

/** The picture on a larger ground of one colour. */
export function placeOn(
  image: RgbImage,
  ground: { readonly width: number; readonly height: number; readonly color: readonly number[] },
  left: number,
  top: number,
): RgbImage {
  const { width, height, color } = ground;
  const data = new Uint8Array(width * height * 3);
  if (color.some((value) => value !== 0)) {
    for (let at = 0; at < data.length; at += 3) for (let c = 0; c < 3; c += 1) data[at + c] = color[c] ?? 0;
  }
  for (let y = 0; y < image.height; y += 1) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((top + y) * width + left) * 3);
  }
  return { data, width, height };
}
