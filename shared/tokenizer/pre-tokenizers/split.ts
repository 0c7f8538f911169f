import type { Spans } from "../spans.ts";
import type { Behavior } from "./kinds.ts";

/** Calls `found` for each match in a part of a text, in order. */
export type Finder = (
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (start: number, end: number) => void,
) => void;

/** `NormalizedString::split`: the matches of a finder and what is between them, put together as `behavior` says. */
export function splitPart(
  find: Finder,
  behavior: Behavior,
  invert: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Spans,
): void {
  let previous = false;
  /** The part that is being put together, until it is known that nothing joins it. */
  let open = -1;
  let done = start;
  const flush = (until: number): void => {
    if (open !== -1 && open < until) out.push(open, until);
    open = -1;
  };
  const part = (from: number, until: number, isMatch: boolean): void => {
    switch (behavior) {
      case "Isolated":
        out.push(from, until);
        break;
      case "Removed":
        if (!isMatch) out.push(from, until);
        break;
      case "Contiguous":
        if (open === -1 || isMatch !== previous) {
          flush(from);
          open = from;
        }
        break;
      case "MergedWithPrevious":
        if (open === -1 || !isMatch || previous) {
          flush(from);
          open = from;
        }
        break;
      case "MergedWithNext":
        // A match waits for what follows it: another match leaves it alone, text takes it in.
        if (open === -1 || isMatch || !previous) {
          flush(from);
          open = from;
        }
        break;
    }
    previous = isMatch;
    done = until;
  };
  find(bytes, start, end, (from, until) => {
    if (done < from) part(done, from, invert);
    part(from, until, !invert);
  });
  if (done < end) part(done, end, invert);
  flush(end);
}
