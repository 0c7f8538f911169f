import type { Pieces } from "../pieces.ts";
import type { Spans } from "../spans.ts";
import { utf8Encoder } from "../utf8.ts";
import type { PREPEND_SCHEMES } from "./kinds.ts";

const NOTHING = new Uint8Array(0);
const SPACE = Uint8Array.of(0x20);
/** U+2581, which SentencePiece writes for a space. */
const METASPACE = utf8Encoder.encode("\u2581");

function standsAt(literal: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (literal.length > end - at) return false;
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return false;
  return true;
}

/** `Metaspace`: spaces become the replacement, one is put before the text, and words begin at each of them. */
export function metaspace(
  replacement: Uint8Array,
  scheme: (typeof PREPEND_SCHEMES)[number],
  split: boolean,
): { apply(pieces: Pieces): void } {
  return {
    apply(pieces) {
      const { bytes, startByte } = pieces;
      pieces.rewrite((start, end) => {
        if (scheme === "never" || (scheme === "first" && start !== startByte)) return NOTHING;
        return bytes[start] === 0x20 || standsAt(replacement, bytes, start, end) ? NOTHING : replacement;
      }, replacement);
      if (split) pieces.refine((text, start, end, out) => cutBefore(replacement, undefined, text, start, end, out));
    },
  };
}

/** A space before each part that has none: `add_prefix_space`. */
export const prefixSpace = {
  apply(pieces: Pieces): void {
    const { bytes } = pieces;
    pieces.rewrite((start) => (bytes[start] === 0x20 ? NOTHING : SPACE), SPACE);
  },
};

/** Cuts where no token can reach across, so that a long text is many words and not one: not after the bytes of `uncut`. */
export function beforeMetaspace(uncut: readonly number[]): { apply(pieces: Pieces): void } {
  const joins = new Uint8Array(256);
  for (const byte of uncut) joins[byte] = 1;
  return {
    apply: (pieces) => pieces.refine((...part) => cutBefore(METASPACE, joins, ...part)),
  };
}

const NO_JOINS = new Uint8Array(256);

/** Cuts before each literal; with `joins` only before the first of a row, and not after those bytes. */
function cutBefore(
  literal: Uint8Array,
  joins: Uint8Array | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Spans,
): void {
  const forbidden = joins ?? NO_JOINS;
  let begin = start;
  let afterOne = standsAt(literal, bytes, start, end);
  for (let at = afterOne ? start + literal.length : start + 1; at < end;) {
    const one = bytes[at] === literal[0] && standsAt(literal, bytes, at, end);
    if (one && (joins === undefined || !afterOne) && forbidden[bytes[at - 1]] === 0) {
      out.push(begin, at);
      begin = at;
    }
    afterOne = one;
    at += one ? literal.length : 1;
  }
  if (begin < end) out.push(begin, end);
}
