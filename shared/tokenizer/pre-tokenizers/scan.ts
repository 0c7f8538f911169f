import type { CharTable } from "../unicode/char-table.ts";
import { codePointAt, widthOf } from "../utf8.ts";

/** Where the run of characters of these classes ends that may begin at `at`. */
export function endOfClass(table: CharTable, bits: number, bytes: Uint8Array, at: number, end: number): number {
  let position = at;
  while (position < end && (table.bits(codePointAt(bytes, position)) & bits) !== 0)
    position += widthOf(bytes[position]);
  return position;
}

/** Where the run of characters of none of these classes ends that may begin at `at`. */
export function endOfOther(table: CharTable, bits: number, bytes: Uint8Array, at: number, end: number): number {
  let position = at;
  while (position < end && (table.bits(codePointAt(bytes, position)) & bits) === 0)
    position += widthOf(bytes[position]);
  return position;
}

/** Bytes of the first literal that stands at `at`, 0 when none does. */
export function startsWith(bytes: Uint8Array, at: number, end: number, literals: readonly Uint8Array[]): number {
  for (const literal of literals) {
    if (literal[0] !== bytes[at] || literal.length > end - at) continue;
    let i = 1;
    while (i < literal.length && bytes[at + i] === literal[i]) i++;
    if (i === literal.length) return i;
  }
  return 0;
}

/** The same for at most `most` characters. */
export function endOfClassUpTo(
  table: CharTable,
  bits: number,
  most: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  let position = at;
  for (let i = 0; i < most && position < end && (table.bits(codePointAt(bytes, position)) & bits) !== 0; i++) {
    position += widthOf(bytes[position]);
  }
  return position;
}
