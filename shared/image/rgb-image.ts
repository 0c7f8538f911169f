/**
 * A decoded picture: 8-bit RGB, upright (EXIF orientation applied) and opaque (transparency composited).
 *
 * `data` is `[H, W, 3]`, row by row. It may be a view on a codec's heap: whoever keeps it beyond the next decode copies it.
 */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}
