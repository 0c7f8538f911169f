import { CATEGORY_RUNS } from "./categories.data.ts";

/**
 * General categories by index. The two after the Unicode ones split the white space out of Cc, so that one number per
 * code point answers every class that a pre-tokenizer asks for: `\s` is Zs, Zl, Zp, SPACE and NEWLINE.
 */
export const CATEGORY_NAMES: readonly string[] =
  "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn SPACE NEWLINE".split(" ");

export const CATEGORY_COUNT = CATEGORY_NAMES.length;
export const CODE_POINTS = 0x110000;
const BLOCK = 256;

const SPACE = CATEGORY_NAMES.indexOf("SPACE");
const NEWLINE = CATEGORY_NAMES.indexOf("NEWLINE");

/** One category index per code point. 1.1 MB: for publishing and tests, never in a Worker that serves. */
export function categoryOfEveryCodePoint(): Uint8Array {
  const runs = Uint8Array.from(atob(CATEGORY_RUNS), (c) => c.charCodeAt(0));
  const categories = new Uint8Array(CODE_POINTS);
  let codePoint = 0;
  for (let i = 0; i < runs.length;) {
    const category = runs[i++] ?? 0;
    let length = 0;
    let shift = 0;
    for (;;) {
      const byte = runs[i++] ?? 0;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
      shift += 7;
    }
    categories.fill(category, codePoint, codePoint + length);
    codePoint += length;
  }
  for (const space of [0x09, 0x0b, 0x0c, 0x85]) categories[space] = SPACE;
  for (const newline of [0x0a, 0x0d]) categories[newline] = NEWLINE;
  return categories;
}

/**
 * The same in two stages, as the compiled file holds it: 4,352 block numbers (one byte each, for blocks of 256 code
 * points), then the distinct blocks.
 */
export function twoStageTable(values: Uint8Array): Uint8Array {
  const seen = new Map<string, number>();
  const blocks: Uint8Array[] = [];
  const index = new Uint8Array(CODE_POINTS / BLOCK);
  for (let i = 0; i < index.length; i++) {
    const block = values.subarray(i * BLOCK, (i + 1) * BLOCK);
    const key = block.join();
    let number = seen.get(key);
    if (number === undefined) {
      number = blocks.length;
      seen.set(key, number);
      blocks.push(block);
    }
    index[i] = number;
  }
  if (blocks.length > 256) throw new RangeError(`${blocks.length} distinct blocks do not fit into one byte`);
  const table = new Uint8Array(index.length + blocks.length * BLOCK);
  table.set(index);
  for (const [i, block] of blocks.entries()) table.set(block, index.length + i * BLOCK);
  return table;
}
