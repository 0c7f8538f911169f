import type { CharSet } from "../unicode/char-set.ts";
import { type AlignedText, codePointsOf } from "./aligned-text.ts";
import { sortLongRuns } from "./long-runs.ts";
import type { FORMS, Normalizer } from "./normalizer.ts";

const ASCII = /^[\0-\x7F]*$/;

/**
 * NFC, NFD, NFKC and NFKD as of the old Unicode version that upstream's normalization crate knows. The engine's own `normalize`
 * is newer: characters that came since (`newer`) stand still, and nothing moves or joins across them.
 */
export class UnicodeForm implements Normalizer {
  readonly keepsAscii = true;
  readonly #form: (typeof FORMS)[number];
  readonly #newer: CharSet;

  constructor(form: (typeof FORMS)[number], newer: CharSet) {
    this.#form = form;
    this.#newer = newer;
  }

  apply(text: string): string {
    return ASCII.test(text) ? text : this.#applyTo(sortLongRuns(text, this.#form));
  }

  #applyTo(text: string): string {
    let result = "";
    let known = 0;
    for (let at = 0; at < text.length;) {
      const codePoint = text.codePointAt(at) ?? 0;
      const next = at + (codePoint > 0xffff ? 2 : 1);
      if (codePoint > 0x7f && this.#newer.has(codePoint)) {
        result += text.slice(known, at).normalize(this.#form) + text.slice(at, next);
        known = next;
      }
      at = next;
    }
    return known === 0 ? text.normalize(this.#form) : result + text.slice(known).normalize(this.#form);
  }

  align(text: AlignedText): void {
    const before = text.text;
    const after = this.apply(before);
    if (after === before) return;
    // Each character in pieces, the first of which replaces it and the others are new; then the result takes its own pieces
    // from them. Equal pieces are taken in order, as the stable sort of the canonical order does.
    const decomposition = this.#form === "NFKC" || this.#form === "NFKD" ? "NFKD" : "NFD";
    const queues = new Map<number, { readonly changes: number[]; next: number }>();
    for (const codePoint of text.codePoints) {
      for (const [i, piece] of this.#decompose(codePoint, decomposition).entries()) {
        let queue = queues.get(piece);
        if (queue === undefined) {
          queue = { changes: [], next: 0 };
          queues.set(piece, queue);
        }
        queue.changes.push(i === 0 ? 0 : 1);
      }
    }
    const codePoints = codePointsOf(after);
    const changes = codePoints.map((codePoint) => {
      const pieces = this.#decompose(codePoint, "NFD");
      let change = 1 - pieces.length;
      for (const piece of pieces) {
        const queue = queues.get(piece);
        change += queue?.changes[queue.next++] ?? 0;
      }
      return change;
    });
    text.transform(codePoints, changes);
  }

  #decompose(codePoint: number, form: "NFD" | "NFKD"): number[] {
    if (codePoint < 0x80 || this.#newer.has(codePoint)) return [codePoint];
    return codePointsOf(String.fromCodePoint(codePoint).normalize(form));
  }
}
