/**
 * Bytes of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at an apostrophe, 0 when it does not match. Case folding in Unicode makes U+017F
 * (long s) an s, so that two-byte character counts too.
 */
export function contraction(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return 0;
  const first = bytes[at + 1] | 0x20;
  switch (first) {
    case 0x73: // s
    case 0x74: // t
    case 0x6d: // m
    case 0x64: // d
      return isAscii(bytes[at + 1]) ? 2 : 0;
    case 0x72: // re
    case 0x76: // ve
      return at + 2 < end && isAscii(bytes[at + 1]) && isAscii(bytes[at + 2]) && (bytes[at + 2] | 0x20) === 0x65
        ? 3
        : 0;
    case 0x6c: // ll
      return at + 2 < end && isAscii(bytes[at + 1]) && isAscii(bytes[at + 2]) && (bytes[at + 2] | 0x20) === 0x6c
        ? 3
        : 0;
    default:
      return bytes[at + 1] === 0xc5 && bytes[at + 2] === 0xbf ? 3 : 0;
  }
}

/** A letter of ASCII: `| 0x20` maps other bytes onto lower-case letters as well. */
function isAscii(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
