import type { Spans } from "../spans.ts";
import { codePointAt, widthOf } from "../utf8.ts";

/** Runs of a class, of at most `most` characters, and what is between them. */
export function scanRuns(
  isMember: (codePoint: number) => boolean,
  most: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  spans: Spans,
): void {
  let gap = start;
  for (let at = start; at < end;) {
    let last = at;
    for (let i = 0; i < most && last < end && isMember(codePointAt(bytes, last)); i++) last += widthOf(bytes[last]);
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
