import type { AddedToken } from "./added-tokens.ts";
import type { Trie } from "./trie.ts";
import { codePointAt, previousCharacter, widthOf } from "./utf8.ts";
import type { CharSet } from "./unicode/char-set.ts";
import { isWhiteSpace } from "./unicode/rust-classes.ts";

/** Says whether the token may be read here. Positions are bytes of the text that is searched. */
export type Accept = (token: AddedToken, start: number, end: number) => boolean;

export interface SearchedText {
  readonly addedTokens: readonly AddedToken[];
  readonly bytes: Uint8Array;
  /** `\w`, for tokens that are `single_word`. */
  readonly words: CharSet;
}

/**
 * Cuts a text at added tokens: the longest at the leftmost place (`find_matches` of `added_vocabulary.rs`). `emit` gets the
 * parts in order, `token` undefined for text between.
 */
export function splitAtAddedTokens(
  trie: Trie,
  { addedTokens: tokens, bytes, words }: SearchedText,
  start: number,
  end: number,
  accept: Accept | undefined,
  emit: (token: AddedToken | undefined, start: number, end: number) => void,
): void {
  let done = start;
  if (!trie.empty) {
    for (let at = start; at < end;) {
      if (!trie.begins(bytes[at])) {
        at++;
        continue;
      }
      let token: AddedToken | undefined;
      let last = at;
      trie.walk(bytes, at, end, (index, stop) => {
        if (accept === undefined || accept(tokens[index], at, stop)) {
          token = tokens[index];
          last = stop;
        }
      });
      if (token === undefined) {
        at++;
        continue;
      }
      const found = { start: at, end: last };
      at = last;
      if (token.singleWord && !standsAlone(words, bytes, start, found.start, found.end, end)) continue;
      if (token.lstrip) found.start = Math.max(whiteSpaceBefore(bytes, start, found.start), done);
      if (token.rstrip) found.end = whiteSpaceAfter(bytes, found.end, end);
      if (done < found.start) emit(undefined, done, found.start);
      emit(token, found.start, found.end);
      done = found.end;
    }
  }
  if (done < end) emit(undefined, done, end);
}

function standsAlone(words: CharSet, bytes: Uint8Array, from: number, start: number, end: number, to: number): boolean {
  const before = start > from && words.has(codePointAt(bytes, previousCharacter(bytes, start)));
  const after = end < to && words.has(codePointAt(bytes, end));
  return !before && !after;
}

function whiteSpaceBefore(bytes: Uint8Array, from: number, at: number): number {
  let position = at;
  while (position > from) {
    const before = previousCharacter(bytes, position);
    if (!isWhiteSpace(codePointAt(bytes, before))) break;
    position = before;
  }
  return position;
}

function whiteSpaceAfter(bytes: Uint8Array, at: number, to: number): number {
  let position = at;
  while (position < to && isWhiteSpace(codePointAt(bytes, position))) position += widthOf(bytes[position]);
  return position;
}
