import { Spans } from "./spans.ts";

/** Where each byte of a rewritten text came from, as a part of the source, in bytes. */
export interface Alignment {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A text between normalization and model: its bytes, and the parts that the pre-tokenizers have cut so far. */
export class Pieces {
  bytes: Uint8Array = new Uint8Array(0);
  /** null: the bytes are the source, or nobody asked where they came from. */
  alignment: Alignment | null = null;
  /** Whether places are kept when the bytes are rewritten. */
  tracked = false;
  /** The byte at which the whole text begins, -1 when it begins elsewhere. */
  startByte = -1;
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

  /**
   * Rewrites every part: `prefix` (or nothing) before it, and `replacement` for each space in it. What is put in takes the
   * place of the character beside it.
   */
  rewrite(prefixOf: (start: number, end: number) => Uint8Array, space: Uint8Array): void {
    const { bytes, spans } = this;
    let length = 0;
    for (let i = 0; i < spans.count; i++) {
      const start = spans.values[2 * i];
      const end = spans.values[2 * i + 1];
      length += prefixOf(start, end).length + end - start;
      if (space.length !== 1) for (let at = start; at < end; at++) if (bytes[at] === 0x20) length += space.length - 1;
    }
    const out = new Uint8Array(length);
    const starts = new Int32Array(this.tracked ? length : 0);
    const ends = new Int32Array(this.tracked ? length : 0);
    const to = this.#spare;
    to.clear();
    let at = 0;
    const put = (byte: number, from: number, until: number): void => {
      if (this.tracked) {
        starts[at] = this.alignment === null ? from : this.alignment.starts[from];
        ends[at] = this.alignment === null ? until : this.alignment.ends[until - 1];
      }
      out[at++] = byte;
    };
    for (let i = 0; i < spans.count; i++) {
      const start = spans.values[2 * i];
      const end = spans.values[2 * i + 1];
      const begin = at;
      let first = start + 1;
      while (first < end && (bytes[first] & 0xc0) === 0x80) first++;
      for (const byte of prefixOf(start, end)) put(byte, start, first);
      for (let from = start; from < end;) {
        let until = from + 1;
        while (until < end && (bytes[until] & 0xc0) === 0x80) until++;
        if (bytes[from] === 0x20) for (const byte of space) put(byte, from, until);
        else for (let j = from; j < until; j++) put(bytes[j], from, until);
        from = until;
      }
      to.push(begin, at);
    }
    this.#spare = spans;
    this.spans = to;
    this.bytes = out;
    this.alignment = this.tracked ? { starts, ends } : null;
  }
}
