import { malformed, type RecordReader } from "../format/reader.ts";
import type { Pieces } from "../pieces.ts";
import type { CharTable } from "../unicode/char-table.ts";
import { utf8Encoder } from "../utf8.ts";
import { scanGpt2 } from "./gpt2.ts";
import { PRE_TOKENIZER, SCANNER } from "./kinds.ts";

/** One step of the pre-tokenizer: cuts the parts of a text further. */
export interface PreTokenizer {
  apply(pieces: Pieces): void;
}

export function readPreTokenizer(record: RecordReader, table: CharTable): PreTokenizer {
  const kind = record.u8();
  switch (kind) {
    case PRE_TOKENIZER.scanner:
      return readScanner(record, table);
    default:
      throw malformed("a pre-tokenizer is of no known kind");
  }
}

function readScanner(record: RecordReader, table: CharTable): PreTokenizer {
  const scanner = record.u8();
  const literals = record.list((r) => utf8Encoder.encode(r.string())).filter((literal) => literal.length > 0);
  switch (scanner) {
    case SCANNER.gpt2:
      return {
        apply: (pieces) => pieces.refine((bytes, start, end, out) => scanGpt2(table, literals, bytes, start, end, out)),
      };
    default:
      throw malformed("a scanner is of no known kind");
  }
}
