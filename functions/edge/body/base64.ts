const INVALID = 0xff;
const PAD = 0x3d;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;

/** ASCII code -> 6 bits (RFC 4648, table 1). */
const VALUES = new Uint8Array(256).fill(INVALID);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/**
 * Decodes base64 where it stands: the bytes take the place of the text, which is a third longer. Takes what
 * `atob` takes of RFC 4648 (padding may be missing), and `\/`, which some JSON writers make of `/`.
 * @returns how many bytes there are from `start` on, or -1 when the text is not base64
 */
export function decodeBase64InPlace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let bits = 0;
  let count = 0;
  let to = start;
  for (; at < end; at++) {
    let code = bytes[at];
    if (code === BACKSLASH && at + 1 < end && bytes[at + 1] === SLASH) code = bytes[++at];
    const value = VALUES[code];
    if (value === INVALID) break;
    bits = (bits << 6) | value;
    if (++count === 4) {
      bytes[to++] = bits >> 16;
      bytes[to++] = bits >> 8;
      bytes[to++] = bits;
      bits = 0;
      count = 0;
    }
  }
  let pads = 0;
  while (at < end && bytes[at] === PAD) {
    pads++;
    at++;
  }
  if (at !== end || count === 1 || (pads > 0 && count + pads !== 4)) return -1;
  if (count >= 2) bytes[to++] = count === 2 ? bits >> 4 : bits >> 10;
  if (count === 3) bytes[to++] = bits >> 2;
  return to - start;
}
