import { describe, expect, it } from "vitest";
import { FoveaError } from "../errors/error.ts";
import { compileTokenizer } from "./compile/compile.ts";
import { tinyTokenizer, tinyUnigram, tinyWordPiece } from "./tiny-tokenizer.ts";
import { Tokenizer } from "./tokenizer.ts";

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const FILES = {
  bpe: compileTokenizer(tinyTokenizer()),
  wordPiece: compileTokenizer(tinyWordPiece()),
  unigram: compileTokenizer(tinyUnigram()),
};

/** Loads a file that may be broken and uses all of it. Anything but a refusal or an answer is a fault. */
function use(file: Uint8Array): "refused" | "answered" {
  try {
    const tokenizer = Tokenizer.load(file);
    const { ids } = tokenizer.encode("hello <|im_end|> wörld 世界 😀 123\n", { offsets: true });
    tokenizer.decode(ids);
    tokenizer.decode([0, 1, 2, 255, 300]);
    return "answered";
  } catch (error) {
    if (error instanceof FoveaError) return "refused";
    throw error;
  }
}

describe.each(Object.entries(FILES))("a broken %s file", (_, file) => {
  it("is refused at every length", () => {
    for (let length = 0; length < file.length; length += 1 + Math.floor(length / 64)) {
      expect(use(file.slice(0, length))).toBe("refused");
    }
  });

  it("never crashes or hangs the reader, whichever bytes are changed", () => {
    const next = random(5);
    const outcomes = { refused: 0, answered: 0 };
    for (let round = 0; round < 400; round++) {
      const broken = file.slice();
      const changes = 1 + Math.floor(next() * 4);
      for (let i = 0; i < changes; i++) {
        // Half of them among the headers and records, where most of the meaning is.
        const at = Math.floor(next() * (next() < 0.5 ? Math.min(2000, file.length) : file.length));
        broken[at] = next() < 0.3 ? 255 : Math.floor(next() * 256);
      }
      outcomes[use(broken)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.answered).toBeGreaterThan(0);
  });

  it("is refused when it is random bytes behind a good header", () => {
    const next = random(6);
    for (let round = 0; round < 100; round++) {
      const noise = Uint8Array.from({ length: 64 + Math.floor(next() * 4096) }, () => Math.floor(next() * 256));
      noise.set(file.subarray(0, 8));
      new DataView(noise.buffer).setUint32(8, noise.length, true);
      if (next() < 0.8) new DataView(noise.buffer).setUint32(12, Math.floor(next() * 12), true);
      expect(use(noise)).toBe("refused");
    }
  });
});

const CHARACTERS = [
  "hello",
  " ",
  "\n",
  "w",
  "é",
  "e\u0301",
  "世",
  "😀",
  "\u0000",
  "<|im_end|>",
  "'s",
  "12",
  "\ud800",
  "\ufeff",
];

describe("any text", () => {
  const tokenizer = Tokenizer.load(FILES.bpe);

  it("comes back from its ids, lone surrogates as U+FFFD", () => {
    const next = random(7);
    for (let round = 0; round < 500; round++) {
      let text = "";
      for (let i = Math.floor(next() * 30); i >= 0; i--) text += CHARACTERS[Math.floor(next() * CHARACTERS.length)];
      expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text.replace(/\p{Surrogate}/gu, "\ufffd"));
    }
  });

  it.each(Object.entries(FILES))("streams as it decodes, at every cut: %s", (_, file) => {
    const tokenizer = Tokenizer.load(file);
    const next = random(8);
    for (let round = 0; round < 100; round++) {
      const ids = Array.from({ length: 1 + Math.floor(next() * 40) }, () =>
        Math.floor(next() * (tokenizer.vocabSize + 2)),
      );
      for (const skipSpecialTokens of [false, true]) {
        for (let cut = 0; cut <= ids.length; cut++) {
          const stream = tokenizer.detokenizer({ skipSpecialTokens });
          let text = "";
          for (const id of ids.slice(0, cut)) {
            const given = stream.push(id);
            // A surrogate that is alone would be half a character.
            expect(given).toBe(given.replace(/\p{Surrogate}/gu, ""));
            text += given;
          }
          expect(text + stream.end()).toBe(tokenizer.decode(ids.slice(0, cut), { skipSpecialTokens }));
        }
      }
    }
  });
});
