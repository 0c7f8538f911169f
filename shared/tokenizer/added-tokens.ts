import { malformed, type RecordReader } from "./format/reader.ts";

/** One entry of `added_tokens`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly singleWord: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Found in the normalized text, by its normalized content; otherwise in the text as it came. */
  readonly normalized: boolean;
  readonly special: boolean;
  /** Plain text never makes this id, see compile/control-tokens.ts. */
  readonly control: boolean;
}

export function readAddedToken(record: RecordReader, size: number): AddedToken {
  const id = record.u32();
  if (id >= size) throw malformed("an added token has an id that is not there");
  return {
    id,
    content: record.string(),
    singleWord: record.bool(),
    lstrip: record.bool(),
    rstrip: record.bool(),
    normalized: record.bool(),
    special: record.bool(),
    control: record.bool(),
  };
}
