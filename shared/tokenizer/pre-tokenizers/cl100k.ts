import type { Spans } from "../spans.ts";
import { type CharTable, LETTER, NEWLINE, NUMBER, SPACE } from "../unicode/char-table.ts";
import { codePointAt, widthOf } from "../utf8.ts";
import { contraction } from "./contraction.ts";
import { endOfClass, endOfClassUpTo, endOfOther } from "./scan.ts";
import { whitespaceOrNewlines } from "./whitespace.ts";

/**
 * Llama 3, Qwen, GLM:
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,DIGITS}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
 */
export function scanCl100k(
  table: CharTable,
  digits: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  spans: Spans,
): void {
  let at = start;
  while (at < end) {
    const last = endOfMatch(table, digits, bytes, at, end);
    spans.push(at, last);
    at = last;
  }
}

function endOfMatch(table: CharTable, digits: number, bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  if (byte === 0x27) {
    const length = contraction(bytes, at, end);
    if (length > 0) return at + length;
  }
  const next = at + widthOf(byte);
  const bits = table.bits(codePointAt(bytes, at));
  if ((bits & LETTER) !== 0) return endOfClass(table, LETTER, bytes, next, end);
  if ((bits & NUMBER) !== 0) return endOfClassUpTo(table, NUMBER, digits, bytes, at, end);
  const following = next < end ? table.bits(codePointAt(bytes, next)) : SPACE;
  if ((bits & NEWLINE) === 0 && (following & LETTER) !== 0) return endOfClass(table, LETTER, bytes, next, end);
  if ((bits & SPACE) === 0 || (byte === 0x20 && (following & (SPACE | LETTER | NUMBER)) === 0)) {
    const last = endOfOther(table, SPACE | LETTER | NUMBER, bytes, next, end);
    return endOfClass(table, NEWLINE, bytes, last, end);
  }
  return whitespaceOrNewlines(table, bytes, at, end);
}
