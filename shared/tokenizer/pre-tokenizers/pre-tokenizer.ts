import { malformed, type RecordReader } from "../format/reader.ts";
import type { Pieces } from "../pieces.ts";
import { RegexProgram } from "../regex/vm.ts";
import { CharSet } from "../unicode/char-set.ts";
import { type CharTable, NUMBER } from "../unicode/char-table.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
import { codePointAt, utf8Encoder, widthOf } from "../utf8.ts";
import { scanCl100k } from "./cl100k.ts";
import { scanDeepseek } from "./deepseek.ts";
import { scanGpt2 } from "./gpt2.ts";
import { BEHAVIORS, FINDER, PRE_TOKENIZER, PREPEND_SCHEMES, SCANNER } from "./kinds.ts";
import { beforeMetaspace, metaspace, prefixSpace } from "./metaspace.ts";
import { scanO200k } from "./o200k.ts";
import { scanRuns } from "./runs.ts";
import { type Finder, splitPart } from "./split.ts";
import { wordsAndOthers } from "./words.ts";

/** One step of the pre-tokenizer: cuts the parts of a text further, or rewrites them. */
export interface PreTokenizer {
  apply(pieces: Pieces): void;
}

export function readPreTokenizer(record: RecordReader, table: CharTable): PreTokenizer {
  switch (record.u8()) {
    case PRE_TOKENIZER.scanner:
      return readScanner(record, table);
    case PRE_TOKENIZER.split: {
      const behavior = BEHAVIORS[record.u8()];
      if (behavior === undefined) throw malformed("a behavior is of no known kind");
      const invert = record.bool();
      const find = readFinder(record);
      return {
        apply: (pieces) =>
          pieces.refine((bytes, start, end, out) => splitPart(find, behavior, invert, bytes, start, end, out)),
      };
    }
    case PRE_TOKENIZER.metaspace: {
      const replacement = utf8Encoder.encode(record.string());
      const scheme = PREPEND_SCHEMES[record.u8()];
      if (scheme === undefined || replacement.length === 0) throw malformed("a metaspace is of no known kind");
      return metaspace(replacement, scheme, record.bool());
    }
    case PRE_TOKENIZER.prefixSpace:
      return prefixSpace;
    case PRE_TOKENIZER.words: {
      const words = CharSet.read(record);
      return { apply: (pieces) => pieces.refine((...part) => wordsAndOthers(words, ...part)) };
    }
    case PRE_TOKENIZER.beforeMetaspace:
      return beforeMetaspace(record.list((r) => r.u8()));
    default:
      throw malformed("a pre-tokenizer is of no known kind");
  }
}

function readScanner(record: RecordReader, table: CharTable): PreTokenizer {
  const scanner = record.u8();
  const most = record.u8();
  const literals = record.list((r) => utf8Encoder.encode(r.string())).filter((literal) => literal.length > 0);
  switch (scanner) {
    case SCANNER.gpt2:
      return { apply: (pieces) => pieces.refine((...part) => scanGpt2(table, literals, ...part)) };
    case SCANNER.cl100k:
      return { apply: (pieces) => pieces.refine((...part) => scanCl100k(table, most, ...part)) };
    case SCANNER.o200k:
      return { apply: (pieces) => pieces.refine((...part) => scanO200k(table, ...part)) };
    case SCANNER.deepseek:
      return { apply: (pieces) => pieces.refine((...part) => scanDeepseek(table, ...part)) };
    case SCANNER.numbers: {
      const isNumber = (codePoint: number): boolean => (table.bits(codePoint) & NUMBER) !== 0;
      return { apply: (pieces) => pieces.refine((...part) => scanRuns(isNumber, most, ...part)) };
    }
    case SCANNER.cjk:
      return { apply: (pieces) => pieces.refine((...part) => scanRuns(isCjk, Infinity, ...part)) };
    default:
      throw malformed("a scanner is of no known kind");
  }
}

/** `[一-龥぀-ゟ゠-ヿ]`. */
function isCjk(codePoint: number): boolean {
  return (codePoint >= 0x4e00 && codePoint <= 0x9fa5) || (codePoint >= 0x3040 && codePoint <= 0x30ff);
}

function readFinder(record: RecordReader): Finder {
  switch (record.u8()) {
    case FINDER.pattern: {
      const program = new RegexProgram(record);
      return (...part) => program.forEachMatch(...part);
    }
    case FINDER.string: {
      const literal = utf8Encoder.encode(record.string());
      if (literal.length === 0) throw malformed("a pattern is empty");
      return (bytes, start, end, found) => findLiteral(literal, bytes, start, end, found);
    }
    case FINDER.set: {
      const set = CharSet.read(record);
      return findCharacters((codePoint) => set.has(codePoint));
    }
    case FINDER.whiteSpace:
      return findCharacters(isWhiteSpace);
    default:
      throw malformed("a finder is of no known kind");
  }
}

/** Each character of a class is a match of its own. */
function findCharacters(isMember: (codePoint: number) => boolean): Finder {
  return (bytes, start, end, found) => {
    for (let at = start; at < end;) {
      const next = at + widthOf(bytes[at]);
      if (isMember(codePointAt(bytes, at))) found(at, next);
      at = next;
    }
  };
}

function findLiteral(
  literal: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (start: number, end: number) => void,
): void {
  for (let at = start; at + literal.length <= end;) {
    let i = 0;
    while (i < literal.length && bytes[at + i] === literal[i]) i++;
    if (i === literal.length) {
      found(at, at + i);
      at += i;
    } else at++;
  }
}
