/**
 * Bounds on pictures, checked on the header, before a decoder sees the file.
 *
 * The budget behind them is one isolate's 128 MB: what they let a picture take at most fits `MAX_PICTURE_HEAP_BYTES`. Measured
 * at the limits: PNG 36 MiB (RGBA 48), JPEG 37 (in several scans 73), WebP 49 with its file (lossless RGBA 74), GIF 72.
 */

const MIB = 1024 * 1024;

/** One encoded picture file in bytes. A 12 MP JPEG of a phone is 3 to 6 MB; beyond: 400 `image_too_large`. */
export const MAX_IMAGE_FILE_BYTES = 12 * MIB;

/** Width times height in pixels: 4096 x 3072, so that the 4032 x 3024 of phones passes; beyond: 400 `image_too_large`. */
export const MAX_IMAGE_PIXELS = 4096 * 3072;

/**
 * Width times height where decoding takes more than the picture itself: WebP that is lossless, transparent or animated
 * (libwebp keeps 4 bytes a pixel beside its output: 8.4 MP are 62 MB), and quarter turns of all but JPEG, which need a
 * second picture. Beyond: 400 `image_too_large`.
 */
export const MAX_HEAVY_IMAGE_PIXELS = 8_400_000;

/** Longer side in pixels: what WebP can hold, and the scratch rows of a decoder; beyond: 400 `image_too_large`. */
export const MAX_IMAGE_SIDE = 16_383;

/**
 * Shorter side in pixels. One pixel has no direction: channel-guessing code takes such arrays for something else
 * and processors round it to 0. Below: 400 `image_too_small`.
 */
export const MIN_IMAGE_SIDE = 2;

/** Frames of an animation. Only the first is decoded; the count bounds the header walk; beyond: 400 `image_too_large`. */
export const MAX_IMAGE_FRAMES = 1000;

/**
 * Scans of a progressive JPEG: every one passes over the whole picture, so 500 scans of 12 MP cost minutes. Encoders
 * write about 10. Beyond: 400 `image_too_large`.
 */
export const MAX_JPEG_SCANS = 64;

/**
 * Coefficients, in bytes, that a JPEG in several scans keeps until its last scan: 2 bytes a sample. A 12.6 MP picture
 * in 4:2:0 takes just this; 4:2:2 passes up to 9.4 MP, 4:4:4 up to 6.3. Beyond: 400 `image_too_large`.
 */
export const MAX_JPEG_COEFFICIENT_BYTES = 36 * MIB;

/** Sum of all pictures' pixels in one request: bounds decode time to a few seconds; beyond: 400 `image_too_large`. */
export const MAX_REQUEST_PIXELS = 4 * MAX_IMAGE_PIXELS;

/**
 * Pixels of one picture's model input, tiles and padding included: 6 MP is what the largest grids of LLaVA-OneVision
 * (2304 x 2304 and a base view) and GLM-4V take, 18 MB as bytes. Beyond: 400 `image_too_large`.
 */
export const MAX_PROCESSED_PIXELS = 6_000_000;

/**
 * The same for all pictures of one request, which the edge holds together until the origin has said what it lacks: two of
 * SmolVLM's largest, or 178 of 224 x 224. Beyond: 400 `image_too_large`.
 */
export const MAX_REQUEST_PROCESSED_PIXELS = 9_000_000;
