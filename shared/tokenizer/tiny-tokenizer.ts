import { toByteCharacters } from "./byte-characters.ts";

/** A byte-level tokenizer.json of 256 bytes, a few merges and ChatML tokens: for tests that need no real vocabulary. */
export function tinyTokenizer(merges: readonly string[] = ["h e", "l l", "he ll", "hell o", "Ġ w"]): unknown {
  const tokens = Array.from({ length: 256 }, (_, byte) => toByteCharacters(Uint8Array.of(byte)));
  for (const merge of merges) tokens.push(merge.replace(" ", ""));
  const added = ["<|im_start|>", "<|im_end|>", "<image>"].map((content, i) => ({
    id: tokens.length + i,
    content,
    special: true,
    normalized: false,
  }));
  return {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}
