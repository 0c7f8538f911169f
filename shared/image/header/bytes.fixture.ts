/** What files are put together of. */
export type Part = Uint8Array | readonly number[] | string;

/** Bytes of the parts one after another: numbers, Latin-1 text, bytes. */
export function join(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const arrays = parts.map((part) =>
    typeof part === "string" ? Uint8Array.from(part, (char) => char.charCodeAt(0)) : Uint8Array.from(part),
  );
  const joined = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

/** A number in so many bytes, the lowest first. */
export function le(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255);
}

/** The highest first. */
export function be(value: number, bytes: number): number[] {
  return le(value, bytes).toReversed();
}
