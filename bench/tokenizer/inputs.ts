/** The texts of the bench, the same for every contender. */

const ENGLISH =
  "The vision encoder turns a picture into patches, and the projector turns patches into embeddings that the backbone can " +
  "read. It's not magic: 16 x 16 = 256 patches, 4x4 of them joined, so 16 tokens a picture. Nobody reads the license, but " +
  "everybody accepts it; we'll see what they've done with 1,234,567 parameters in 2026.\n\n";
const CODE =
  "export function scan(bytes: Uint8Array, start: number, end: number): void {\n  for (let at = start; at < end; at++) {\n" +
  "    if (bytes[at] === 0x20) continue; // white space\n    table[bytes[at] >> 3] |= 1 << (bytes[at] & 7);\n  }\n}\n";
const WORLD =
  "视觉编码器把图片切成小块，投影器把它们变成语言模型能读的向量。 Видеокодер делит картинку на части. 画像をトークンに変換します。 " +
  "المشفر البصري يحول الصورة إلى رموز. 이미지를 토큰으로 바꿉니다. दृश्य एन्कोडर चित्र को टुकड़ों में बाँटता है। 👩‍🚀🚀\n";

const WORDS = (ENGLISH + CODE).split(/\s+/);

/** Text that repeats little: sentences of words in an order that a counter chooses. */
function mixed(characters: number): string {
  let text = "";
  for (let i = 0, state = 1; text.length < characters; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    if (i % 40 === 0) text += i % 80 === 0 ? ENGLISH : i % 120 === 0 ? CODE : WORLD;
    text += `${WORDS[(state >> 8) % WORDS.length] ?? ""}${state % 13 === 0 ? String(state % 1000) : ""} `;
  }
  return text;
}

export const LONG_TEXT = mixed(200_000);

/** Questions of 20 to 120 characters. */
export const SHORT_TEXTS: readonly string[] = Array.from({ length: 2000 }, (_, i) =>
  // Half a surrogate pair at an end is no text.
  LONG_TEXT.slice(i * 90, i * 90 + 20 + ((i * 37) % 100)).replace(/\p{Surrogate}/gu, ""),
);

/** Texts that are slow for some tokenizer, of a given length. */
export const ADVERSARIAL: Readonly<Record<string, (length: number) => string>> = {
  "one letter": (n) => "a".repeat(n),
  "two letters": (n) => "ab".repeat(n / 2),
  "random letters": (n) => letters(n),
  spaces: (n) => " ".repeat(n),
  "spaces, then a letter": (n) => `${" ".repeat(n - 1)}x`,
  newlines: (n) => " \n".repeat(n / 2),
  digits: (n) => "1".repeat(n),
  "one symbol": (n) => "!".repeat(n),
  "one Han character": (n) => "中".repeat(n),
  "combining marks": (n) => `a${"\u0301\u0327".repeat(n / 2)}`,
  "half a control token": (n) => "<|im_".repeat(n / 5),
  emoji: (n) => "😀".repeat(n / 2),
};

function letters(count: number): string {
  let text = "";
  for (let i = 0, state = 7; i < count; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    text += String.fromCharCode(97 + ((state >> 16) % 26));
  }
  return text;
}

export function bytesOf(texts: readonly string[]): number {
  const encoder = new TextEncoder();
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
}
