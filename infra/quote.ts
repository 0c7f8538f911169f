/** A word as a shell takes it. */
export function quote(word: string): string {
  return /^[A-Za-z0-9@%._/:=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
