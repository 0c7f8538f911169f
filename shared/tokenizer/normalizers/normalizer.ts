import type { AlignedText } from "./aligned-text.ts";

/**
 * One step of `"normalizer"`. Both ways give the same text: plain, and with the place of every character, which takes more
 * time and is asked for only where offsets matter.
 */
export interface Normalizer {
  /** Text of ASCII stays as it is. */
  readonly keepsAscii?: boolean;
  apply(text: string): string;
  align(text: AlignedText): void;
}

export const NORMALIZER = {
  form: 1,
  lowercase: 2,
  strip: 3,
  stripAccents: 4,
  replace: 5,
  prepend: 6,
  bert: 7,
  nmt: 8,
  precompiled: 9,
} as const;

export const FORMS = ["NFC", "NFD", "NFKC", "NFKD"] as const;
