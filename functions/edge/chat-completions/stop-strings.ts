/**
 * Stop strings over a stream of text pieces. What could be the beginning of a stop string is held back until the next
 * piece decides; the stop string itself is never given out. The answer is the same at every cut of the text.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes the next piece; gives what may be shown, and whether a stop string has ended the text. */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    if (this.#stops.length === 0) return { text: piece, stopped: false };
    const text = this.#held + piece;
    const at = this.#firstStop(text);
    if (at !== -1) {
      this.#held = "";
      return { text: text.slice(0, at), stopped: true };
    }
    const keep = this.#openEnd(text);
    this.#held = text.slice(text.length - keep);
    return { text: text.slice(0, text.length - keep), stopped: false };
  }

  /** What was held back, when the text ends without a stop string. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  #firstStop(text: string): number {
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
    return found.length === 0 ? -1 : Math.min(...found);
  }

  /** Length of the longest end of the text that begins a stop string. */
  #openEnd(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
