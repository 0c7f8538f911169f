import type { Spans } from "../spans.ts";
import { type CharTable, LETTER, LOWER, NEWLINE, NUMBER, SPACE, UPPER } from "../unicode/char-table.ts";
import { codePointAt, previousCharacter, widthOf } from "../utf8.ts";
import { contraction } from "./contraction.ts";
import { endOfClass, endOfClassUpTo, endOfOther } from "./scan.ts";
import { whitespaceOrNewlines } from "./whitespace.ts";

/**
 * GPT-4o, gpt-oss. With U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, W = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`, C = `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`:
 * `[^\r\n\p{L}\p{N}]?U*W+C|[^\r\n\p{L}\p{N}]?U+W*C|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
 */
export function scanO200k(table: CharTable, bytes: Uint8Array, start: number, end: number, spans: Spans): void {
  let at = start;
  while (at < end) {
    const last = endOfMatch(table, bytes, at, end);
    spans.push(at, last);
    at = last;
  }
}

function endOfMatch(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  const next = at + widthOf(byte);
  const bits = table.bits(codePointAt(bytes, at));
  // The optional first character is taken when it can be, and given back when nothing follows it. A mark can be both it and
  // a part of the word, so for marks the first alternative always matches.
  const optional = (bits & (NEWLINE | LETTER | NUMBER)) === 0 && next < end;
  let last = optional ? upperThenLower(table, bytes, next, end) : -1;
  if (last === -1 && (bits & (UPPER | LOWER)) !== 0) last = upperThenLower(table, bytes, at, end);
  if (last === -1 && optional) last = upperOnly(table, bytes, next, end);
  if (last === -1) last = upperOnly(table, bytes, at, end);
  if (last !== -1) return last < end && bytes[last] === 0x27 ? last + contraction(bytes, last, end) : last;
  if ((bits & NUMBER) !== 0) return endOfClassUpTo(table, NUMBER, 3, bytes, at, end);
  const following = next < end ? table.bits(codePointAt(bytes, next)) : SPACE;
  if ((bits & SPACE) === 0 || (byte === 0x20 && (following & (SPACE | LETTER | NUMBER)) === 0)) {
    last = endOfOther(table, SPACE | LETTER | NUMBER, bytes, next, end);
    while (last < end && (bytes[last] === 0x0a || bytes[last] === 0x0d || bytes[last] === 0x2f)) last++;
    return last;
  }
  return whitespaceOrNewlines(table, bytes, at, end);
}

/** `U*W+`, -1 when it does not match. */
function upperThenLower(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  const upper = endOfClass(table, UPPER, bytes, at, end);
  const last = endOfClass(table, LOWER, bytes, upper, end);
  if (last > upper) return last;
  // W+ needs one character: U* gives back until the last of its characters that is in W too. After that one stand only Lu
  // and Lt, so W+ ends there.
  for (let given = upper; given > at;) {
    const before = previousCharacter(bytes, given);
    if ((table.bits(codePointAt(bytes, before)) & LOWER) !== 0) return given;
    given = before;
  }
  return -1;
}

/** `U+W*` where `U*W+` does not match: all of the run is U. */
function upperOnly(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  const upper = endOfClass(table, UPPER, bytes, at, end);
  return upper === at ? -1 : upper;
}
