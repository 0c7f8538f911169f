/** A piece of text that may be shown, and whether a stop string has ended the text there. */
export interface Shown {
  readonly text: string;
  readonly stopped: boolean;
}

/**
 * Stop strings over a stream of text pieces: the text ends where the first of them begins, and they are never given out. What
 * could be the beginning of one is held back until the next piece decides; so is a whole one, while another that began
 * before it may still come. So the answer is the same at every cut of the text.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes the next piece. */
  push(piece: string): Shown {
    const text = this.#held + piece;
    const open = this.#openEnd(text);
    const at = this.#firstStop(text);
    const stopped = at <= open && at < text.length;
    const end = stopped ? at : open;
    this.#held = stopped ? "" : text.slice(end);
    return { text: text.slice(0, end), stopped };
  }

  /** What was held back, when no more text comes. */
  end(): Shown {
    const text = this.#held;
    this.#held = "";
    const at = this.#firstStop(text);
    return { text: text.slice(0, at), stopped: at < text.length };
  }

  /** Where the first stop string begins; the length of the text when it has none. */
  #firstStop(text: string): number {
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
    return Math.min(text.length, ...found);
  }

  /** Where the longest end of the text begins that begins a stop string; the length of the text when none does. */
  #openEnd(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return text.length - longest;
  }
}
