type ImageFormat = "png" | "jpeg" | "webp" | "gif" | "avif" | "bmp";

/** How a file stores its colours. */
export type ColorModel = "grey" | "rgb" | "palette" | "cmyk";

/**
 * EXIF `Orientation` (tag 0x0112): what has to be done to the stored rows to show them upright.
 * 1 nothing, 2 mirror, 3 half turn, 4 flip, 5 transpose, 6 quarter turn clockwise, 7 transverse, 8 quarter turn back.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What a picture file says of itself, read without decoding. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels as stored, before orientation. */
  readonly width: number;
  readonly height: number;
  /** Bits per sample (per palette index for palettes). */
  readonly depth: number;
  readonly color: ColorModel;
  /** An alpha channel or a transparent colour. */
  readonly alpha: boolean;
  /** 1 for still pictures. */
  readonly frames: number;
  readonly orientation: Orientation;
}

export function isOrientation(value: number): value is Orientation {
  return Number.isInteger(value) && value >= 1 && value <= 8;
}

/** Whether width and height change places when the picture is turned upright. */
export function swapsSides(orientation: Orientation): boolean {
  return orientation >= 5;
}
