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

/** A BERT-like tokenizer.json. */
export function tinyWordPiece(): unknown {
  const tokens = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "hello",
    "wor",
    "##ld",
    "##l",
    "##d",
    "1",
    "##2",
    "##3",
    "世",
    "界",
    "!",
  ];
  return {
    added_tokens: tokens.slice(0, 4).map((content, id) => ({ id, content, special: true, normalized: false })),
    truncation: { direction: "Right", max_length: 12, strategy: "LongestFirst", stride: 0 },
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}

/** A T5-like tokenizer.json with byte fallback. */
export function tinyUnigram(): unknown {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const pieces = ["\u2581", "\u2581hello", "he", "l", "o", "w", "\u2581wor", "ld", "1", "2", "世界"];
  const vocab = [["<unk>", 0], ["</s>", 0], ...bytes.map((byte) => [byte, -20]), ...pieces.map((p, i) => [p, -i - 1])];
  return {
    added_tokens: ["<unk>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: { type: "NFKC" },
    pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always", split: true },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
      special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "\u2581" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: { type: "Unigram", unk_id: 0, byte_fallback: true, vocab },
  };
}
