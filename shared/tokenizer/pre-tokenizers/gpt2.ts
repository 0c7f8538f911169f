import type { Spans } from "../spans.ts";
import { type CharTable, LETTER, NUMBER, SPACE } from "../unicode/char-table.ts";
import { codePointAt, widthOf } from "../utf8.ts";
import { endOfClass, endOfOther, startsWith } from "./scan.ts";
import { whitespaceEnd } from "./whitespace.ts";

/**
 * GPT-2: `LITERALS| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, where the literals are `'s|'t|'re|'ve|'m|'ll|'d`
 * or another list without a prefix among them.
 */
export function scanGpt2(
  table: CharTable,
  literals: readonly Uint8Array[],
  bytes: Uint8Array,
  start: number,
  end: number,
  spans: Spans,
): void {
  let at = start;
  while (at < end) {
    const literal = startsWith(bytes, at, end, literals);
    if (literal !== 0) {
      spans.push(at, at + literal);
      at += literal;
      continue;
    }
    let first = at;
    let bits = table.bits(codePointAt(bytes, at));
    if (bytes[at] === 0x20 && at + 1 < end) {
      const following = table.bits(codePointAt(bytes, at + 1));
      if ((following & SPACE) === 0) {
        first = at + 1;
        bits = following;
      }
    }
    let last: number;
    if ((bits & SPACE) !== 0) last = whitespaceEnd(table, bytes, at, end);
    else {
      const next = first + widthOf(bytes[first]);
      if ((bits & LETTER) !== 0) last = endOfClass(table, LETTER, bytes, next, end);
      else if ((bits & NUMBER) !== 0) last = endOfClass(table, NUMBER, bytes, next, end);
      else last = endOfOther(table, LETTER | NUMBER | SPACE, bytes, next, end);
    }
    spans.push(at, last);
    at = last;
  }
}
