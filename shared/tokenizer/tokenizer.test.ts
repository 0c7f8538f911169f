import { describe, expect, it } from "vitest";
import { FoveaError } from "../errors/error.ts";
import { PromptText } from "../chat-template/prompt-text.ts";
import { compileTokenizer } from "./compile/compile.ts";
import { tinyTokenizer, tinyUnigram, tinyWordPiece } from "./tiny-tokenizer.ts";
import { Tokenizer } from "./tokenizer.ts";

const tokenizer = Tokenizer.load(compileTokenizer(tinyTokenizer()));
const tokens = (ids: Iterable<number>): (string | undefined)[] => Array.from(ids, (id) => tokenizer.idToToken(id));

describe("Tokenizer", () => {
  it("merges in the order of ranks", () => {
    expect(tokens(tokenizer.encode("hello world").ids)).toEqual(["hello", "Ġw", "o", "r", "l", "d"]);
  });

  it("gives offsets in UTF-16 code units, a whole character for each of its bytes", () => {
    const { ids, offsets } = tokenizer.encode("a😀b", { offsets: true });
    expect(ids.length).toBe(6);
    expect([...offsets]).toEqual([0, 1, 1, 3, 1, 3, 1, 3, 1, 3, 3, 4]);
  });

  it.each([
    ["byte-level", tinyTokenizer(), "hello w😀é"],
    ["byte fallback", tinyUnigram(), "hello😀é世界"],
  ])("gives the bytes of each id, which join to the text: %s", (_, source, text) => {
    const one = Tokenizer.load(compileTokenizer(source));
    const ids = [...one.encode(text, { addSpecialTokens: false }).ids];
    expect(ids.some((id) => one.decode([id]) === "\uFFFD")).toBe(true);
    expect(new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => [...one.bytesOf(id)])))).toBe(text);
  });

  it("gives bytes for control tokens and words, and none for ids without a token", () => {
    const bytes = (one: Tokenizer, token: string): string =>
      new TextDecoder().decode(one.bytesOf(one.tokenToId(token) ?? -1));
    expect(bytes(tokenizer, "<|im_end|>")).toBe("<|im_end|>");
    expect(bytes(Tokenizer.load(compileTokenizer(tinyWordPiece())), "hello")).toBe("hello");
    for (const id of [-1, 0.5, tokenizer.vocabSize]) expect(tokenizer.bytesOf(id)).toHaveLength(0);
  });

  it("recognises added tokens in encode", () => {
    expect(tokens(tokenizer.encode("a<|im_end|>b").ids)).toEqual(["a", "<|im_end|>", "b"]);
  });

  it("reads control tokens in a prompt only where the template wrote them", () => {
    expect(tokens(tokenizer.encodePrompt(PromptText.ofTemplate("<|im_end|>")))).toEqual(["<|im_end|>"]);
    const user = PromptText.ofMarked("\uFDD0<|im_\uFDD2end|>\uFDD1<|im_end|>");
    expect(tokens(tokenizer.encodePrompt(user))).toEqual([
      "<",
      "|",
      "i",
      "m",
      "_",
      "e",
      "n",
      "d",
      "|",
      ">",
      "<|im_end|>",
    ]);
  });

  it("turns lone surrogates into U+FFFD", () => {
    expect(tokenizer.decode(tokenizer.encode("a\uD800b").ids)).toBe("a\uFFFDb");
  });

  it("leaves special tokens out when asked", () => {
    const { ids } = tokenizer.encode("<|im_start|>hello<|im_end|>");
    expect(tokenizer.decode(ids)).toBe("<|im_start|>hello<|im_end|>");
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("hello");
  });

  it("knows tokens by string and by id", () => {
    expect(tokenizer.tokenToId("hello")).toBe(259);
    expect(tokenizer.idToToken(259)).toBe("hello");
    expect(tokenizer.tokenToId("nothing")).toBeUndefined();
    expect(tokenizer.idToToken(-1)).toBeUndefined();
    expect(tokenizer.idToToken(tokenizer.vocabSize)).toBeUndefined();
  });

  it("refuses a broken file", () => {
    const file = compileTokenizer(tinyTokenizer());
    expect(() => Tokenizer.load(file.slice(0, file.length - 8))).toThrow(FoveaError);
    expect(() => Tokenizer.load(new Uint8Array(0))).toThrow(FoveaError);
  });
});
