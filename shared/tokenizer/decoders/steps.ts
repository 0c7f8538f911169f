import type { DecodeStep } from "./decoder.ts";

/** A step that changes each token alone. */
export function each(change: (token: string, index: number) => string): () => DecodeStep {
  return () => {
    let index = 0;
    return {
      push(token, emit) {
        emit(change(token, index));
        index++;
      },
      end() {
        // Nothing is kept.
      },
    };
  };
}

/** `Strip`: up to `start` of a character at the beginning of each token, up to `stop` at its end. */
export function strip(content: string, start: number, stop: number): () => DecodeStep {
  return each((token) => {
    const characters = Array.from(token);
    let from = 0;
    while (from < start && characters[from] === content) from++;
    let to = characters.length;
    // Upstream counts both ends on the whole token, so a token of one such character is cut twice; the cut that comes first wins.
    for (let i = 0; i < stop && to > 0 && characters[to - 1] === content; i++) to--;
    return characters.slice(from, Math.max(from, to)).join("");
  });
}

/** `Strip` after `Fuse`: the beginning and the end of the whole text. */
export function stripFused(content: string, start: number, stop: number): () => DecodeStep {
  return () => {
    let left = start;
    let held = "";
    return {
      push(token, emit) {
        let text = token;
        while (left > 0 && text !== "") {
          if (text.startsWith(content)) {
            text = text.slice(content.length);
            left--;
          } else left = 0;
        }
        if (stop === 0) {
          emit(text);
          return;
        }
        held += text;
        // What may be cut off at the end stays: a run of the character, as far back as it can be cut.
        let certain = held.length;
        for (let i = 0; i < stop && held.slice(0, certain).endsWith(content); i++) certain -= content.length;
        emit(held.slice(0, certain));
        held = held.slice(certain);
      },
      end(emit) {
        let to = held.length;
        for (let i = 0; i < stop && held.slice(0, to).endsWith(content); i++) to -= content.length;
        emit(held.slice(0, to));
      },
    };
  };
}

/** `BPEDecoder`: the suffix of a word is a space, but not at the end. */
export function bpe(suffix: string): () => DecodeStep {
  return () => {
    let held: string | undefined;
    return {
      push(token, emit) {
        if (held !== undefined) emit(held.replaceAll(suffix, " "));
        held = token;
      },
      end(emit) {
        if (held !== undefined) emit(held.replaceAll(suffix, ""));
      },
    };
  };
}

const CLEANUPS: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** `WordPiece`: a token without the prefix begins a word; `cleanup` takes the space before marks and contractions away. */
export function wordPiece(prefix: string, cleanup: boolean): () => DecodeStep {
  return each((token, index) => {
    let text = token;
    if (index > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    if (!cleanup) return text;
    for (const [from, to] of CLEANUPS) text = text.replaceAll(from, to);
    return text;
  });
}

/** `Metaspace`: the replacement is a space; those of the first token were put there by the pre-tokenizer. */
export function metaspace(replacement: string, prepended: boolean): () => DecodeStep {
  return each((token, index) => token.replaceAll(replacement, index === 0 && prepended ? "" : " "));
}
