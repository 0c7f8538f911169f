/** A small seeded generator (mulberry32): the same corpus on every machine. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Texts that broke one tokenizer or another, by what is in them. */
export const HARD_TEXTS: readonly string[] = [
  "",
  " ",
  "   ",
  "\n",
  "\r\n\r\n",
  " \n \n ",
  "a  b   c    d",
  "\ttab\tand\u00a0nbsp\u2003em\u3000ideographic",
  "end with spaces   ",
  "   begin with spaces",
  "Hello, world! It's John's; we'll, I'd, they've, you're, I'm, don't.",
  "IT'S JOHN'S; WE'LL, I'D, THEY'VE, YOU'RE, I'M, DON'T. it'\u017f 'S 'T 'x",
  "1 12 123 1234 12345 1,234,567.89 ٣٤٥ ௧௨ Ⅻ ½ ²",
  "def f(x):\n    return {k: v**2 for k, v in x.items() if v != 0}  # comment\n\n\nclass A:\n\tpass\n",
  '{"key": [1, 2.5e-3, null, true], "s": "\\u00e9\\n"}',
  "<html><body class='a'>&nbsp;</body></html> <!-- x -->",
  "https://example.com/path?q=1&r=%20#frag user@example.com",
  "中文分词测试，这是一个很长的句子，没有空格。你好，世界！",
  "日本語のテキスト、カタカナとひらがな。東京都",
  "한국어 문장입니다. 각 각", // precomposed and Jamo
  "مرحبا بالعالم، هذا نص عربي مع تَشْكِيل",
  "नमस्ते दुनिया, यह हिंदी का पाठ है। क्षत्रिय",
  "สวัสดีชาวโลก นี่คือข้อความภาษาไทยที่ไม่มีช่องว่าง",
  "Привет, мир! Ёлка й й",
  "Ελληνικά ΣΊΣΥΦΟΣ ΌΔΥΣΣΕΎΣ",
  "İstanbul DİYARBAKIR ıI ŞŞ",
  "é e\u0301 ẛ̣ Å Å ﬁ ﬂ ＡＢＣ１２３ ㍿ ㍑ ℌ ①②",
  "a\u0301\u0327\u0308\u0345\u0300 q\u0307\u0323 q\u0323\u0307 \u0301start",
  "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ☺ 🧑🏿‍🚀 \u{1F9D1}\u200D\u{1F680}",
  "control \u0000\u0001\u0007\u0008\u000b\u000c\u001b\u007f\u0085\u009f end",
  "\ufeffbom in front and \ufeff inside",
  "zero\u200bwidth\u200cjoin\u200der\u2060word \u00adsoft",
  "rtl \u202eabc\u202c \u2066x\u2069",
  "lone \ud800 surrogates \udc00 and \udfff\ud800 reversed",
  "\u{10ffff}\ufffe\uffff\ufdd0 noncharacters",
  "𝒜𝓁𝓁 𝔪𝔞𝔱𝔥 𝟘𝟙𝟚 𐍈 𓀀 \u{1e900}\u{1e922}",
  "\u0378\u05cf unassigned \u{e0041}\u{e007f} tags \ue000 private",
  "▁metaspace ▁▁ inside▁ ▁",
  "Ġbyte Ċ characters ģ",
  "##ing ##ed un##related [UNK] [CLS] [SEP] [MASK]",
  "<s> </s> <unk> <pad> <0x0A> <0xFF> <extra_id_0>",
  "<|endoftext|> <|im_start|>user\n<|im_end|> <|eot_id|> <bos><eos> <start_of_turn>",
  "<｜begin▁of▁sentence｜> [gMASK]<sop> <think> </think> <tool_call>",
  "a" + "b".repeat(300),
  "supercalifragilisticexpialidocious".repeat(8),
  "ab".repeat(200),
  "=".repeat(80) + "\n" + "-".repeat(81) + "\n" + "#".repeat(7) + " x",
  "!!!???...,,,;;;:::'''\"\"\"```~~~",
  " .,:;!? ' n't 'm do not 's 've 're",
  "x\n\n\n\ny\r\r\rz \n\t\n w",
  "Ⱥ ⱥ ẞ ß ŉ ǰ ΐ և ﬀ ﬃ Ǆ ǅ ǆ",
];

const POOLS: readonly (readonly string[])[] = [
  "the of and to in is was that for on are with as his they at be this from have or by one had not but what all were when".split(
    " ",
  ),
  "Transformer tokenization embedding GPU int32_t camelCaseWord snake_case_word HTTPServer iPhone15 x86_64 U.S.A.".split(
    " ",
  ),
  [" ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u2003", "   "],
  [
    ".",
    ",",
    "!",
    "?",
    ";",
    ":",
    "-",
    "--",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "/",
    "\\",
    "'",
    '"',
    "`",
    "@",
    "#",
    "$",
    "%",
    "^",
    "&",
    "*",
    "_",
    "+",
    "=",
    "<",
    ">",
    "|",
    "~",
    "…",
    "—",
    "«",
    "»",
    "„",
    "。",
    "、",
    "¿",
  ],
  ["0", "1", "42", "1234", "3.14", "007", "٣", "५", "Ⅳ", "½", "⁵"],
  ["'s", "'S", "'t", "'re", "'VE", "'ll", "'d", "'M", "n't", "'\u017f"],
  [
    "é",
    "e\u0301",
    "ñ",
    "n\u0303",
    "ü",
    "ß",
    "ø",
    "ŷ",
    "Å",
    "\u212b",
    "ﬁ",
    "İ",
    "ı",
    "Σ",
    "ς",
    "ё",
    "й",
    "\u0438\u0306",
  ],
  [
    "\u0301",
    "\u0327",
    "\u0308",
    "\u0345",
    "\u0323",
    "\u200d",
    "\ufe0f",
    "\u20e3",
    "\u0300",
    "\u0e48",
    "\u093c",
    "\u064b",
  ],
  [
    "中",
    "文",
    "你好",
    "世界",
    "的",
    "是",
    "不",
    "龘",
    "𠮷",
    "㐀",
    "東京",
    "カタ",
    "ひら",
    "ｶﾞ",
    "한국",
    "\u1112\u1161\u11ab",
    "각",
  ],
  ["مرحبا", "العالم", "نص", "שלום", "नमस्ते", "हिंदी", "क्ष", "สวัสดี", "ไทย", "ข้อ", "தமிழ்", "ქართ", "Հայ", "ไม่"],
  ["😀", "👍🏽", "👩‍👧", "🏳️‍🌈", "🇩🇪", "❤️", "🤷🏻‍♂️", "☃", "\u{1f9ff}", "🀄"],
  [
    "\u0000",
    "\u0001",
    "\u001f",
    "\u007f",
    "\u0085",
    "\u200b",
    "\ufeff",
    "\ufffd",
    "\u00ad",
    "\u2060",
    "\ufffe",
    "\ue000",
  ],
  ["\ud800", "\udc00", "\udbff\ud83d"],
  ["▁", "Ġ", "##", "</w>", "<0x41>", "▁the", "[UNK]", "<s>", "</s>", "<|", "|>"],
];

/** A text of a few pieces from the pools, or of code points from anywhere. */
export function randomText(next: () => number, special: readonly string[]): string {
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(next() * items.length)];
  let text = "";
  const pieces = 1 + Math.floor(next() ** 2 * 40);
  const spaced = next() < 0.5;
  for (let i = 0; i < pieces; i++) {
    const kind = next();
    if (kind < 0.02) text += pick(special) ?? "";
    else if (kind < 0.08) text += String.fromCodePoint(Math.floor(next() * 0x110000));
    else if (kind < 0.16) text += String.fromCodePoint(Math.floor(next() * 0x3000));
    else if (kind < 0.5) text += pick(POOLS[Math.floor(next() * 2)] ?? []) ?? "";
    else text += pick(pick(POOLS) ?? []) ?? "";
    if (spaced && next() < 0.6) text += " ";
  }
  return text;
}

/** The corpus of one tokenizer: hard texts, then `count` random ones. */
export function corpus(seed: number, count: number, special: readonly string[]): string[] {
  const next = random(seed);
  return [...HARD_TEXTS, ...Array.from({ length: count }, () => randomText(next, special))];
}
