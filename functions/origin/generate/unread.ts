import { MAX_UNREAD_ANSWER_BYTES } from "../../../shared/limits/limits.ts";

/** What of an answer was made and not yet read. One reader. */
export class Unread {
  readonly #encoder = new TextEncoder();
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  /** Whether more is waiting than may: the reader reads too slowly, or not at all. */
  get full(): boolean {
    return this.#bytes > MAX_UNREAD_ANSWER_BYTES;
  }

  push(text: string): void {
    const part = this.#encoder.encode(text);
    this.#parts.push(part);
    this.#bytes += part.length;
    this.#wake?.();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** All that waits, as soon as there is something; null after the end. */
  async take(): Promise<Uint8Array | null> {
    while (this.#bytes === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}
