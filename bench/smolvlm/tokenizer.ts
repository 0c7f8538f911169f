/** Tokens of a byte-level BPE beside its added ones, as SmolLM2 has them. */
const BASE = 49_152;

/** Where SmolVLM's added tokens stand. */
const SPECIAL: Readonly<Record<string, number>> = {
  "<|endoftext|>": 49_152,
  "<|im_start|>": 49_153,
  "<|im_end|>": 49_154,
  "<global-img>": 49_155,
  "<fake_token_around_image>": 49_189,
  "<image>": 49_190,
  "<end_of_utterance>": 49_279,
};

/** `tokenizer.json` and `tokenizer_config.json` of SmolVLM's size: merges of letters in place of learned ones. */
export function smolVlmTokenizer(chatTemplate: string): { readonly tokenizer: object; readonly config: object } {
  const special = new Map(Object.entries(SPECIAL));
  for (let tile = 0; tile < 36; tile++) {
    const free = tile < 33 ? 49_156 + tile : 49_191 + tile - 33;
    special.set(`<row_${Math.floor(tile / 6) + 1}_col_${(tile % 6) + 1}>`, free);
  }
  const taken = new Set(special.values());
  for (let id = BASE; id < 49_280; id++) if (!taken.has(id)) special.set(`<|reserved_${id}|>`, id);
  const added = [...special]
    .toSorted(([, a], [, b]) => a - b)
    .map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...merges(),
    },
  };
  const config = {
    bos_token: "<|im_start|>",
    eos_token: "<end_of_utterance>",
    pad_token: "<|im_end|>",
    tokenizer_class: "GPT2Tokenizer",
    chat_template: chatTemplate,
  };
  return { tokenizer, config };
}

/** Every byte, then every word of letters, the short ones first. */
function merges(): { readonly vocab: Record<string, number>; readonly merges: [string, string][] } {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(97 + i));
  const tokens = byteCharacters();
  const pairs: [string, string][] = [];
  const words = [...letters, "\u0120"];
  for (let at = 0; tokens.length < BASE; at++) {
    for (const letter of letters) {
      if (tokens.length === BASE) break;
      pairs.push([words[at] ?? "", letter]);
      words.push(`${words[at]}${letter}`);
      tokens.push(`${words[at]}${letter}`);
    }
  }
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: pairs };
}

/** GPT-2's characters for the 256 bytes: printable ones stand for themselves, the others from U+0100 on. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(printable ? byte : next++);
  });
}
