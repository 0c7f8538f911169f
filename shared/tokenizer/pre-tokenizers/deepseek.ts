import type { Spans } from "../spans.ts";
import { type CharTable, LETTER, MARK, NEWLINE, SPACE, SYMBOL } from "../unicode/char-table.ts";
import { codePointAt, widthOf } from "../utf8.ts";
import { endOfClass } from "./scan.ts";
import { whitespaceOrNewlines } from "./whitespace.ts";

/**
 * DeepSeek V3, third pattern:
 * ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``.
 * Characters that none of it matches (digits, controls) stay together as a part of their own.
 */
export function scanDeepseek(table: CharTable, bytes: Uint8Array, start: number, end: number, spans: Spans): void {
  let gap = start;
  let at = start;
  while (at < end) {
    const last = endOfMatch(table, bytes, at, end);
    if (last === at) {
      at += widthOf(bytes[at]);
      continue;
    }
    if (gap < at) spans.push(gap, at);
    spans.push(at, last);
    at = last;
    gap = last;
  }
  if (gap < end) spans.push(gap, end);
}

function endOfMatch(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  const next = at + widthOf(byte);
  const bits = table.bits(codePointAt(bytes, at));
  if (byte < 0x80 && (bits & SYMBOL) !== 0) {
    let last = next;
    while (last < end && isAsciiLetter(bytes[last])) last++;
    if (last > next) return last;
  }
  const following = next < end ? table.bits(codePointAt(bytes, next)) : 0;
  if ((bits & (NEWLINE | LETTER | SYMBOL)) === 0 && (following & (LETTER | MARK)) !== 0) {
    return endOfClass(table, LETTER | MARK, bytes, next, end);
  }
  if ((bits & (LETTER | MARK)) !== 0) return endOfClass(table, LETTER | MARK, bytes, next, end);
  if ((bits & SYMBOL) !== 0 || (byte === 0x20 && (following & SYMBOL) !== 0)) {
    return endOfClass(table, NEWLINE, bytes, endOfClass(table, SYMBOL, bytes, next, end), end);
  }
  return (bits & SPACE) !== 0 ? whitespaceOrNewlines(table, bytes, at, end) : at;
}

function isAsciiLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
