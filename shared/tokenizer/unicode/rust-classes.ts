/**
 * Character classes of Rust's standard library and its regex crate, where upstream asks those and not Oniguruma.
 */

/** `char::is_whitespace`. */
export function isWhiteSpace(codePoint: number): boolean {
  if (codePoint < 0x85) return codePoint === 0x20 || (codePoint >= 0x09 && codePoint <= 0x0d);
  if (codePoint < 0x1680) return codePoint === 0x85 || codePoint === 0xa0;
  return (
    codePoint === 0x1680 ||
    (codePoint >= 0x2000 && codePoint <= 0x200a) ||
    codePoint === 0x2028 ||
    codePoint === 0x2029 ||
    codePoint === 0x202f ||
    codePoint === 0x205f ||
    codePoint === 0x3000
  );
}
