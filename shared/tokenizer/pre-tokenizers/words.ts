import type { Spans } from "../spans.ts";
import type { CharSet } from "../unicode/char-set.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
import { codePointAt, widthOf } from "../utf8.ts";

/** `Whitespace`: `\w+|[^\w\s]+`, what is between vanishes. */
export function wordsAndOthers(words: CharSet, bytes: Uint8Array, start: number, end: number, out: Spans): void {
  let begin = -1;
  let kind = 0;
  for (let at = start; at < end;) {
    const codePoint = codePointAt(bytes, at);
    const next = words.has(codePoint) ? 1 : isWhiteSpace(codePoint) ? 0 : 2;
    if (next !== kind) {
      if (kind !== 0) out.push(begin, at);
      begin = at;
      kind = next;
    }
    at += widthOf(bytes[at]);
  }
  if (kind !== 0) out.push(begin, end);
}
