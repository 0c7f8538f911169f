import { type CharTable, NEWLINE, SPACE } from "../unicode/char-table.ts";
import { codePointAt, previousCharacter, widthOf } from "../utf8.ts";

/**
 * `\s+(?!\S)|\s+` at a white-space character: the whole run at the end of the text, else all of it but its last character,
 * which goes with the word after it; a run of one is taken whole.
 */
export function whitespaceEnd(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  let last = at;
  while (last < end && (table.bits(codePointAt(bytes, last)) & SPACE) !== 0) last += widthOf(bytes[last]);
  if (last === end) return last;
  const before = previousCharacter(bytes, last);
  return before === at ? last : before;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+` at a white-space character: up to the last newline of the run when it has one. */
export function whitespaceOrNewlines(table: CharTable, bytes: Uint8Array, at: number, end: number): number {
  let last = at;
  let newline = -1;
  while (last < end) {
    const bits = table.bits(codePointAt(bytes, last));
    if ((bits & SPACE) === 0) break;
    last += widthOf(bytes[last]);
    if ((bits & NEWLINE) !== 0) newline = last;
  }
  if (newline !== -1) return newline;
  if (last === end) return last;
  const before = previousCharacter(bytes, last);
  return before === at ? last : before;
}
