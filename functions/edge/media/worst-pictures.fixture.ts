import { be, join, le, type Part } from "../../../shared/image/header/bytes.fixture.ts";
import { MAX_IMAGE_FILE_BYTES } from "../../../shared/limits/image.ts";

/** A picture that takes a decoder as much memory as the limits let it. */
export interface WorstPicture {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** 4096 x 3072 (MAX_IMAGE_PIXELS), and 2800 x 3000 (MAX_HEAVY_IMAGE_PIXELS). */
const [WIDTH, HEIGHT] = [4096, 3072];
const [HEAVY_WIDTH, HEAVY_HEIGHT] = [2800, 3000];

/** A lossless, transparent WebP file lies on the heap beside two pictures of 4 bytes a pixel: what MAX_PICTURE_HEAP_BYTES leaves it. */
const MAX_WEBP_BYTES = 9 * 1024 * 1024;

/**
 * Of each format what needs most, as a file of `fileBytes`: the pixels are plain, the rest is filled with parts
 * that every reader skips.
 */
export async function worstPictures(fileBytes = MAX_IMAGE_FILE_BYTES): Promise<WorstPicture[]> {
  const webpBytes = Math.min(fileBytes, MAX_WEBP_BYTES);
  return [
    { name: "PNG, transparent", bytes: await png(WIDTH, HEIGHT, 1, fileBytes) },
    { name: "JPEG in several scans", bytes: jpeg(fileBytes) },
    { name: "WebP, lossless and transparent", bytes: webp(webpBytes, vp8l(HEAVY_WIDTH, HEAVY_HEIGHT)) },
    { name: "GIF, transparent and interlaced", bytes: gif(fileBytes) },
    { name: "PNG, transparent, quarter turn", bytes: await png(HEAVY_WIDTH, HEAVY_HEIGHT, 6, fileBytes) },
    { name: "WebP, animated, quarter turn", bytes: animatedWebp(webpBytes) },
  ];
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A TIFF file with an orientation and nothing else. */
function exif(orientation: number): Bytes {
  return join("II*\0", le(8, 4), le(1, 2), le(0x0112, 2), le(3, 2), le(1, 4), le(orientation, 4), le(0, 4));
}

async function png(width: number, height: number, orientation: number, fileBytes: number): Promise<Bytes> {
  const rows = new Blob(Array.from({ length: height }, () => new Uint8Array(1 + 4 * width)));
  const packed = rows.stream().pipeThrough(new CompressionStream("deflate"));
  const start = join("\x89PNG\r\n\x1a\n", chunk("IHDR", join(be(width, 4), be(height, 4), [8, 6, 0, 0, 0])));
  const end = join(
    chunk("eXIf", exif(orientation)),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", new Uint8Array(0)),
  );
  const room = fileBytes - start.length - end.length - 12;
  return join(start, be(room, 4), "paDd", new Uint8Array(room + 4), end);
}

function chunk(type: string, data: Uint8Array): Bytes {
  const body = join(type, data);
  return join(be(data.length, 4), body, be(crc32(body), 4));
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc;
}

/** Progressive, 4:2:0: 3 bytes of coefficients a pixel (MAX_JPEG_COEFFICIENT_BYTES). One DC scan of zeros. */
function jpeg(fileBytes: number): Bytes {
  const segment = (marker: number, ...body: readonly Part[]): Bytes => {
    const joined = join(...body);
    return join([0xff, marker], be(joined.length + 2, 2), joined);
  };
  const blocks = (WIDTH / 16) * (HEIGHT / 16) * 6;
  const head = join([0xff, 0xd8], segment(0xe1, "Exif\0\0", exif(6)));
  const tail = join(
    segment(0xdb, [0], new Uint8Array(64).fill(1)),
    segment(0xc2, [8], be(HEIGHT, 2), be(WIDTH, 2), [3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]),
    // One code of one bit: no difference to the block before
    segment(0xc4, [0, 1], new Uint8Array(15), [0]),
    segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 0, 0]),
    new Uint8Array(Math.ceil(blocks / 8)),
    [0xff, 0xd9],
  );
  const comments: Bytes[] = [];
  for (let room = fileBytes - head.length - tail.length; room > 0;) {
    const length = room > 65_536 ? 60_000 : room;
    comments.push(segment(0xfe, new Uint8Array(length - 4)));
    room -= length;
  }
  return join(head, ...comments, tail);
}

/** One colour without transforms: five prefix codes of one symbol each, and no bits for the pixels. */
function vp8l(width: number, height: number): Bytes {
  let [bits, count] = [0n, 0n];
  const put = (value: number, size: bigint): void => {
    bits |= BigInt(value) << count;
    count += size;
  };
  put(0x2f, 8n);
  put(width - 1, 14n);
  put(height - 1, 14n);
  put(1, 1n); // alpha is used
  put(0, 3n); // version
  put(0, 3n); // no transform, no colour cache, no meta codes
  for (let code = 0; code < 5; code += 1) {
    put(0b101, 3n); // simple, one symbol, of 8 bits
    put(code === 4 ? 0 : 40 * code, 8n);
  }
  return Uint8Array.from({ length: Number(count + 7n) >> 3 }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
}

function riff(type: string, ...body: readonly Part[]): Bytes {
  const joined = join(...body);
  return join(type, le(joined.length, 4), joined, new Uint8Array(joined.length & 1));
}

function webp(fileBytes: number, pixels: Bytes): Bytes {
  const picture = riff("VP8L", pixels);
  return riff("RIFF", "WEBP", picture, riff("PADD", new Uint8Array(fileBytes - 20 - picture.length)));
}

/** The first frame leaves a border free: it is decoded into a larger canvas. */
function animatedWebp(fileBytes: number): Bytes {
  const [width, height] = [HEAVY_WIDTH - 2, HEAVY_HEIGHT - 2];
  const canvas = riff("VP8X", le(0x1a, 4), le(HEAVY_WIDTH - 1, 3), le(HEAVY_HEIGHT - 1, 3));
  const orientation = riff("EXIF", exif(6));
  const picture = riff("VP8L", vp8l(width, height));
  const room = fileBytes - 12 - canvas.length - 8 - 16 - picture.length - 8 - orientation.length;
  const frame = riff(
    "ANMF",
    le(1, 3),
    le(1, 3),
    le(width - 1, 3),
    le(height - 1, 3),
    le(0, 4),
    picture,
    riff("PADD", new Uint8Array(room)),
  );
  return riff("RIFF", "WEBP", canvas, frame, orientation);
}

/** One colour: each code is one pixel longer than the code before. */
function gif(fileBytes: number): Bytes {
  const codes: number[] = [];
  for (let left = WIDTH * HEIGHT; left > 0;) {
    codes.push(4, 0);
    left -= 1;
    for (let run = 2, code = 6; code < 4096 && left > 0; run += 1, code += 1) {
      codes.push(code);
      left -= run;
    }
  }
  const packed = packCodes(codes);
  const blocks: Bytes[] = [];
  for (let at = 0; at < packed.length; at += 255) {
    const block = packed.subarray(at, at + 255);
    blocks.push(join([block.length], block));
  }
  const head = join("GIF89a", le(WIDTH, 2), le(HEIGHT, 2), [0x80, 0, 0], [0, 0, 0, 9, 9, 9]);
  const tail = join(
    [0x21, 0xf9, 4, 1, 0, 0, 1, 0],
    [0x2c],
    le(0, 4),
    le(WIDTH, 2),
    le(HEIGHT, 2),
    [0x40, 2],
    ...blocks,
    [0, 0x3b],
  );
  const room = fileBytes - head.length - tail.length - 3;
  const comment = new Uint8Array(room);
  for (let at = 0; at < room; at += 256) comment[at] = Math.min(255, room - at - 1);
  return join(head, [0x21, 0xfe], comment, [0], tail);
}

/** Codes of growing width (GIF89a, appendix F), from 3 bits on. */
function packCodes(codes: readonly number[]): Bytes {
  const bytes: number[] = [];
  let [bits, held, size, next] = [0, 0, 3, 6];
  let fresh = true;
  for (const code of codes) {
    bits |= code << held;
    for (held += size; held >= 8; held -= 8, bits >>>= 8) bytes.push(bits & 255);
    if (code === 4) {
      [size, next, fresh] = [3, 6, true];
    } else if (fresh) {
      fresh = false;
    } else if (next < 4096) {
      next += 1;
      if (next === 1 << size && size < 12) size += 1;
    }
  }
  return Uint8Array.from([...bytes, bits & 255, 0]);
}
