import { Spans } from "./spans.ts";

/** Where each byte of a rewritten text came from, as a part of the source, in bytes. */
export interface Alignment {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A text between normalization and model: its bytes, and the parts that the pre-tokenizers have cut so far. */
export class Pieces {
  bytes: Uint8Array = new Uint8Array(0);
  /** null: the bytes are the source. */
  alignment: Alignment | null = null;
  spans = new Spans();
  #spare = new Spans();

  reset(bytes: Uint8Array, start: number, end: number, alignment: Alignment | null): void {
    this.bytes = bytes;
    this.alignment = alignment;
    this.spans.clear();
    this.#spare.clear();
    if (start < end) this.spans.push(start, end);
  }

  /** Cuts every part further: `cut` pushes what a part becomes. */
  refine(cut: (bytes: Uint8Array, start: number, end: number, out: Spans) => void): void {
    const from = this.spans;
    const to = this.#spare;
    to.clear();
    for (let i = 0; i < from.count; i++) cut(this.bytes, from.values[2 * i], from.values[2 * i + 1], to);
    this.spans = to;
    this.#spare = from;
  }
}
