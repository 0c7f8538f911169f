/**
 * Reading of UTF-8 that is known to be valid: all text enters through `TextEncoder`, which turns lone surrogates into
 * U+FFFD, so that no check is needed here. Positions are bytes.
 */

/** Bytes of the character that begins with this lead byte. */
export function widthOf(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** The code point of the character at `at`. */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return lead;
  if (lead < 0xe0) return ((lead & 31) << 6) | (bytes[at + 1] & 63);
  if (lead < 0xf0) return ((lead & 15) << 12) | ((bytes[at + 1] & 63) << 6) | (bytes[at + 2] & 63);
  return ((lead & 7) << 18) | ((bytes[at + 1] & 63) << 12) | ((bytes[at + 2] & 63) << 6) | (bytes[at + 3] & 63);
}

/** Where the character before `at` begins; `at` is greater than 0. */
export function previousCharacter(bytes: Uint8Array, at: number): number {
  let position = at - 1;
  while (position > 0 && (bytes[position] & 0xc0) === 0x80) position--;
  return position;
}

export const utf8Encoder = new TextEncoder();

/** Keeps a leading U+FEFF, which is text here, and turns every maximal broken part into one U+FFFD, as Rust does. */
export const utf8Decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
