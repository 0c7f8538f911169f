import type { EncodeOptions, Encoding } from "../encoding.ts";
import { Utf16Positions } from "../offsets.ts";
import type { Pipeline } from "../pipeline.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
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
    offsets[at] = positions.start(tokens.starts[i]);
    offsets[at + 1] = positions.end(tokens.ends[i]);
    if (postProcessor.trimOffsets !== undefined) {
      trim(offsets, at, vocabulary.stringOf(tokens.ids[i]), i === 0, postProcessor.trimOffsets.addPrefixSpace);
    }
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

/** `process_offsets` of ByteLevel: white space of the token's string is taken out of its offsets. */
function trim(offsets: Int32Array, at: number, token: string, isFirst: boolean, addPrefixSpace: boolean): void {
  const characters = Array.from(token);
  const isSpace = (character: string): boolean => character === "\u0120" || isWhiteSpace(character.codePointAt(0) ?? 0);
  let leading = 0;
  while (leading < characters.length && isSpace(characters[leading])) leading++;
  let trailing = 0;
  while (trailing < characters.length && isSpace(characters[characters.length - 1 - trailing])) trailing++;
  if (leading > 0) {
    // A space that the tokenizer put before the text is not in the text.
    if ((isFirst || offsets[at] === 0) && addPrefixSpace) leading--;
    offsets[at] = Math.min(offsets[at] + leading, offsets[at + 1]);
  }
  if (trailing > 0 && offsets[at + 1] >= trailing) offsets[at + 1] = Math.max(offsets[at + 1] - trailing, offsets[at]);
}
