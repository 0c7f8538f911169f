import type { EncodeOptions, Encoding } from "../encoding.ts";
import { TOKEN_FLAG } from "../format/layout.ts";
import { Utf16Positions } from "../offsets.ts";
import type { Pipeline } from "../pipeline.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
import { previousCharacter, utf8Decoder, widthOf } from "../utf8.ts";
import type { Vocabulary } from "../vocabulary.ts";
import type { Padding, PostProcessor, Truncation } from "./post-processor.ts";

/** The tokens of the pipeline's last run as an `Encoding`: cut, with special tokens, padded. */
export function finishEncoding(
  { tokens, bytes }: Pipeline,
  vocabulary: Vocabulary,
  postProcessor: PostProcessor,
  options: EncodeOptions,
): Encoding {
  const special = options.addSpecialTokens !== false;
  const before = special ? postProcessor.before : [];
  const after = special ? postProcessor.after : [];
  const [first, last] = keptRange(tokens.length, before.length + after.length, postProcessor.truncation);
  const length = before.length + last - first + after.length;
  const total = paddedLength(length, postProcessor.padding);
  const shift = postProcessor.padding?.left === true ? total - length : 0;

  const ids = new Int32Array(total).fill(postProcessor.padding?.id ?? 0);
  ids.set(before, shift);
  ids.set(tokens.ids.subarray(first, last), shift + before.length);
  ids.set(after, shift + before.length + last - first);
  const attentionMask = new Uint8Array(total).fill(1, shift, shift + length);

  if (options.offsets !== true) return { ids, attentionMask, offsets: new Int32Array(0) };
  const offsets = new Int32Array(2 * total);
  const positions = new Utf16Positions(bytes, bytes.length);
  for (let i = first, at = 2 * (shift + before.length); i < last; i++, at += 2) {
    const range = { start: tokens.starts[i], end: tokens.ends[i] };
    if (postProcessor.trimOffsets !== undefined) {
      const id = tokens.ids[i];
      // The string of an added token is what was found, with the white space that it took in.
      const isAdded = (vocabulary.flags[id] & TOKEN_FLAG.added) !== 0;
      const found = isAdded ? utf8Decoder.decode(bytes.subarray(range.start, range.end)) : vocabulary.stringOf(id);
      trim(range, bytes, found, i === first, postProcessor.trimOffsets.addPrefixSpace);
    }
    offsets[at] = positions.start(range.start);
    // An empty range is where it begins, not the character before.
    offsets[at + 1] = range.end > range.start ? positions.end(range.end) : offsets[at];
  }
  return { ids, attentionMask, offsets };
}

function keptRange(count: number, added: number, truncation: Truncation | undefined): [number, number] {
  const most = truncation === undefined ? count : Math.max(0, truncation.maxLength - added);
  if (count <= most) return [0, count];
  return truncation?.left === true ? [count - most, count] : [0, most];
}

function paddedLength(length: number, padding: Padding | undefined): number {
  if (padding === undefined) return length;
  const wanted = padding.length === 0 ? length : padding.length;
  const multiple = padding.multipleOf === 0 ? wanted : Math.ceil(wanted / padding.multipleOf) * padding.multipleOf;
  return Math.max(length, multiple);
}

/**
 * `process_offsets` of ByteLevel: the white space of the token's string is taken out of its place, counted in characters of
 * the text (which need not be white space: a space that was put before a character has that character's place).
 */
function trim(
  range: { start: number; end: number },
  bytes: Uint8Array,
  token: string,
  isFirst: boolean,
  addPrefixSpace: boolean,
): void {
  const characters = Array.from(token);
  const isSpace = (character: string): boolean => character === "\u0120" || isWhiteSpace(character.codePointAt(0) ?? 0);
  let leading = 0;
  while (leading < characters.length && isSpace(characters[leading])) leading++;
  let trailing = 0;
  while (trailing < characters.length && isSpace(characters[characters.length - 1 - trailing])) trailing++;
  if (leading === 0 && trailing === 0) return;
  while (range.start > 0 && isInside(bytes, range.start)) range.start--;
  while (isInside(bytes, range.end)) range.end++;
  // One leading space was put there by the tokenizer and is not in the text; of more, all are the text's own.
  if ((isFirst || range.start === 0) && addPrefixSpace && leading === 1) leading = 0;
  for (; leading > 0 && range.start < range.end; leading--) range.start += widthOf(bytes[range.start]);
  let end = range.end;
  for (; trailing > 0 && end > 0; trailing--) end = previousCharacter(bytes, end);
  if (trailing === 0) range.end = Math.max(end, range.start);
}

function isInside(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && (bytes[at] & 0xc0) === 0x80;
}
