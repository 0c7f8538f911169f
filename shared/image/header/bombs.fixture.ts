import { be, join, le, type Part } from "./bytes.fixture.ts";
import cases from "../../../test/golden/pixels/decode.json" with { type: "json" };

/** A hostile file and what it is answered with; no code where it is a header to read. */
export interface Bomb {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code?: string;
}

export function fileOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function picture(name: string): Uint8Array {
  return fileOf(cases.find((stored) => stored.name === name)?.file ?? "");
}

/** A picture with some bytes replaced. */
function patched(name: string, at: number, values: readonly number[]): Uint8Array {
  const bytes = picture(name);
  bytes.set(values, at);
  return bytes;
}

/** A JPEG of the given size that is all header: one scan, a few bytes, an end. */
function jpeg(width: number, height: number, { marker = 0xc0, scans = 1, sampling = 0x22 } = {}): Uint8Array {
  const frame = [0xff, marker, 0, 17, 8, ...be(height, 2), ...be(width, 2), 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0];
  const scan = [0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 1, 2, 3];
  return join([0xff, 0xd8], frame, ...Array.from({ length: scans }, () => scan), [0xff, 0xd9]);
}

function box(type: string, ...content: readonly Part[]): Uint8Array {
  const body = join(...content);
  return join(be(body.length + 8, 4), type, body);
}

function avif(width: number, height: number, extra: readonly Uint8Array[] = []): Uint8Array {
  const properties = box(
    "ipco",
    box("ispe", be(0, 4), be(width, 4), be(height, 4)),
    box("pixi", be(0, 4), [3, 10, 10, 10]),
    box("irot", [1]),
    box("auxC", be(0, 4), "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"),
    ...extra,
  );
  const own = [0x81, 0x82, 0x83, ...extra.map((_, i) => 0x85 + i)];
  const associations = box("ipma", be(0, 4), be(1, 4), be(1, 2), [own.length, ...own]);
  const meta = box("meta", be(0, 4), box("pitm", be(0, 4), be(1, 2)), box("iprp", properties, associations));
  return join(box("ftyp", "avif", be(0, 4), "avifmif1"), meta);
}

/** A WebP file of these chunks. */
export function webp(...chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = join("WEBP", ...chunks);
  return join("RIFF", le(body.length, 4), body);
}

export function vp8x(width: number, height: number, flags: number): Uint8Array {
  return join("VP8X", le(10, 4), [flags, 0, 0, 0], le(width - 1, 3), le(height - 1, 3));
}

/** The chunks of a stored WebP file. */
export function chunksOf(name: string): Uint8Array {
  return picture(name).subarray(12);
}

/** A GIF whose one tiny frame repeats. */
function gif(frames: number, width: number, height: number): Uint8Array {
  const frame = [0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 1, 0x44, 0];
  const screen = join("GIF89a", [width & 255, width >> 8, height & 255, height >> 8, 0, 0, 0]);
  return join(screen, ...Array.from({ length: frames }, () => frame), [0x3b]);
}

/** Every kind of file that must not reach a decoder. */
export function bombs(): readonly Bomb[] {
  const png = picture("png-rgb");
  const truncated = (name: string): Uint8Array => picture(name).subarray(0, Math.trunc(picture(name).length * 0.6));
  return [
    {
      name: "PNG of 30,000 x 30,000",
      bytes: patched("png-rgb", 16, [...be(30_000, 4), ...be(30_000, 4)]),
      code: "image_too_large",
    },
    {
      name: "PNG of 2^32 - 1 a side",
      bytes: patched("png-rgb", 16, [...be(-1, 4), ...be(-1, 4)]),
      code: "image_too_large",
    },
    { name: "PNG of 1 x 1", bytes: patched("png-rgb", 16, [...be(1, 4), ...be(1, 4)]), code: "image_too_small" },
    { name: "PNG of 0 x 0", bytes: patched("png-rgb", 16, [...be(0, 4), ...be(0, 4)]), code: "image_too_small" },
    { name: "PNG with an impossible depth", bytes: patched("png-rgb", 24, [3]), code: "invalid_image" },
    {
      name: "PNG with a chunk of 4 GB",
      bytes: join(png.subarray(0, 33), be(-1, 4), png.subarray(37)),
      code: "invalid_image",
    },
    { name: "PNG, truncated", bytes: truncated("png-rgb"), code: "invalid_image" },
    { name: "PNG, header alone", bytes: png.subarray(0, 33), code: "invalid_image" },
    {
      name: "PNG without pixels",
      bytes: join(png.subarray(0, 33), be(0, 4), "IEND", be(0, 4)),
      code: "invalid_image",
    },
    {
      name: "APNG of 4 billion frames",
      bytes: join(png.subarray(0, 33), be(8, 4), "acTL", be(-1, 4), be(0, 4), be(0, 4), png.subarray(33)),
      code: "image_too_large",
    },
    {
      name: "PNG with a second, larger header",
      bytes: join(png.subarray(0, 33), be(13, 4), "IHDR", be(4000, 4), be(3000, 4), png.subarray(24)),
      code: "invalid_image",
    },
    {
      name: "JPEG with a second, larger frame",
      bytes: join(jpeg(64, 64).subarray(0, 21), jpeg(4000, 3000).subarray(2)),
      code: "invalid_image",
    },
    { name: "JPEG of 65,535 x 65,535", bytes: jpeg(65_535, 65_535), code: "image_too_large" },
    { name: "JPEG of height 0", bytes: jpeg(64, 0), code: "image_too_small" },
    { name: "JPEG with 5,000 scans", bytes: jpeg(640, 480, { marker: 0xc2, scans: 5000 }), code: "image_too_large" },
    {
      name: "progressive JPEG of 12 MP in 4:4:4",
      bytes: jpeg(4000, 3000, { marker: 0xc2, sampling: 0x11 }),
      code: "image_too_large",
    },
    { name: "arithmetic-coded JPEG", bytes: jpeg(64, 64, { marker: 0xc9 }), code: "unsupported_image" },
    { name: "lossless JPEG", bytes: jpeg(64, 64, { marker: 0xc3 }), code: "unsupported_image" },
    { name: "JPEG, truncated", bytes: truncated("jpeg-420"), code: "invalid_image" },
    { name: "JPEG, three bytes", bytes: Uint8Array.of(0xff, 0xd8, 0xff), code: "invalid_image" },
    {
      name: "WebP canvas of 16,384 x 16,384",
      bytes: patched("webp-animated", 24, [...le(16_383, 3), ...le(16_383, 3)]),
      code: "image_too_large",
    },
    {
      name: "animated WebP of 10 MP",
      bytes: patched("webp-animated", 24, [...le(3999, 3), ...le(2499, 3)]),
      code: "image_too_large",
    },
    {
      name: "PNG of 10 MP that is turned",
      bytes: patched("png-exif-6", 16, [...be(4000, 4), ...be(2500, 4)]),
      code: "image_too_large",
    },
    {
      name: "WebP whose canvas is smaller than its picture",
      bytes: patched("webp-lossy-alpha", 24, [...le(7, 3), ...le(7, 3)]),
      code: "invalid_image",
    },
    {
      name: "WebP frame outside its canvas",
      bytes: patched("webp-animated", 24, [...le(7, 3), ...le(7, 3)]),
      code: "invalid_image",
    },
    {
      name: "WebP with a second, smaller canvas behind its frames",
      bytes: webp(chunksOf("webp-animated"), vp8x(8, 8, 0x12)),
      code: "invalid_image",
    },
    {
      name: "WebP with a second canvas before its frames",
      bytes: webp(vp8x(4000, 3000, 0x12), chunksOf("webp-animated")),
      code: "invalid_image",
    },
    {
      name: "WebP whose canvas follows its pixels",
      bytes: webp(chunksOf("webp-lossy"), vp8x(61, 43, 0)),
      code: "invalid_image",
    },
    {
      name: "WebP with frames that is no animation",
      // VP8X has 18 bytes
      bytes: webp(vp8x(40, 56, 0x10), chunksOf("webp-lossless-alpha"), chunksOf("webp-animated").subarray(18)),
      code: "invalid_image",
    },
    { name: "WebP, truncated", bytes: truncated("webp-lossless"), code: "invalid_image" },
    { name: "GIF of 65,535 x 65,535", bytes: gif(1, 65_535, 65_535), code: "image_too_large" },
    { name: "GIF of 100,000 frames", bytes: gif(100_000, 2, 2), code: "image_too_large" },
    { name: "GIF, truncated", bytes: truncated("gif"), code: "invalid_image" },
    {
      name: "BMP of 2^31 - 1 a side",
      bytes: patched("bmp-24", 18, [255, 255, 255, 127, 255, 255, 255, 127]),
      code: "image_too_large",
    },
    { name: "BMP of negative width", bytes: patched("bmp-24", 18, [255, 255, 255, 255]), code: "image_too_small" },
    { name: "AVIF, read in full", bytes: avif(640, 427) },
    { name: "AVIF of 2^31 a side", bytes: avif(2 ** 31, 2 ** 31), code: "image_too_large" },
    {
      name: "AVIF with a second, larger size",
      bytes: avif(64, 64, [box("ispe", be(0, 4), be(4000, 4), be(3000, 4))]),
      code: "invalid_image",
    },
    {
      name: "AVIF with a box of size 1 and a 64-bit length",
      bytes: avif(64, 64, [join(be(1, 4), "free", be(-1, 4), be(-1, 4))]),
      code: "invalid_image",
    },
    {
      name: "AVIF with a box smaller than its header",
      bytes: avif(64, 64, [join(be(3, 4), "free")]),
      code: "invalid_image",
    },
    {
      name: "AVIF of 100,000 empty boxes",
      bytes: join(avif(64, 64), ...Array.from({ length: 100_000 }, () => [0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65])),
      code: "invalid_image",
    },
    { name: "text that claims to be a PNG", bytes: join("data:image/png, I promise"), code: "invalid_image" },
    { name: "HTML", bytes: join("<html><img src=x>"), code: "invalid_image" },
    { name: "SVG", bytes: join('<svg xmlns="http://www.w3.org/2000/svg"/>'), code: "unsupported_image" },
    { name: "PDF", bytes: join("%PDF-1.7\n"), code: "unsupported_image" },
    { name: "TIFF", bytes: join("II*\0", be(8, 4)), code: "unsupported_image" },
    { name: "HEIC", bytes: join(be(24, 4), "ftypheic", be(0, 4)), code: "unsupported_image" },
    { name: "zeros", bytes: new Uint8Array(4096), code: "invalid_image" },
    {
      name: "a kilobyte of 0xff after a JPEG's start",
      bytes: join([0xff, 0xd8], new Uint8Array(1024).fill(0xff)),
      code: "invalid_image",
    },
  ];
}
