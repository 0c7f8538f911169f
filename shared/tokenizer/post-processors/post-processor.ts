import { malformed, type RecordReader } from "../format/reader.ts";

/** `truncation`: to so many tokens, special ones included. */
export interface Truncation {
  readonly maxLength: number;
  readonly left: boolean;
}

/** `padding`: to a length, or to a multiple of one. */
export interface Padding {
  /** 0: no fixed length. */
  readonly length: number;
  /** 0: any. */
  readonly multipleOf: number;
  readonly left: boolean;
  readonly id: number;
}

/** What stands around the tokens of a text, and what is done to their offsets. */
export interface PostProcessor {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Takes white space out of the offsets; whether the first token's leading space was put there by the tokenizer. */
  readonly trimOffsets: { readonly addPrefixSpace: boolean } | undefined;
  readonly truncation: Truncation | undefined;
  readonly padding: Padding | undefined;
}

export function readPostProcessor(record: RecordReader, size: number): PostProcessor {
  const id = (r: RecordReader): number => {
    const value = r.u32();
    if (value >= size) throw malformed("a special token is not there");
    return value;
  };
  return {
    before: record.list(id),
    after: record.list(id),
    trimOffsets: record.bool() ? { addPrefixSpace: record.bool() } : undefined,
    truncation: record.bool() ? { maxLength: record.u32(), left: record.bool() } : undefined,
    padding: record.bool()
      ? { length: record.u32(), multipleOf: record.u32(), left: record.bool(), id: id(record) }
      : undefined,
  };
}
