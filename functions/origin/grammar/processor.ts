import type { LogitsProcessor } from "../engine/sampling/sampler.ts";

/** One bit per id, 32 to a word: 1 where the grammar allows it. Null when the answer is over. */
export type Mask = Int32Array<ArrayBuffer> | null;

/** Who makes the masks of one answer. */
export interface MaskSource {
  /** Ids that end an answer. A mask allows them where the grammar may end. */
  readonly stopTokenIds: readonly number[];
  /** The mask after one more token. */
  accept(token: number): Promise<Mask>;
  close(): void;
}

/** Holds one answer to a grammar: what would leave it cannot be chosen. */
export class GrammarProcessor implements LogitsProcessor {
  readonly #source: MaskSource;
  #mask: Mask;
  #next: Promise<Mask>;
  #ended = false;

  constructor(first: Mask, source: MaskSource) {
    this.#source = source;
    this.#mask = first;
    this.#next = Promise.resolve(first);
  }

  /** Waits for the mask of the next token, which is made from the moment that the last one was chosen. */
  async prepare(): Promise<void> {
    this.#mask = await this.#next;
  }

  apply(logits: Float32Array): void {
    const mask = this.#mask;
    if (mask === null) return;
    for (let word = 0; word * 32 < logits.length; word++) {
      const bits = mask[word] ?? 0;
      if (bits === -1) continue;
      const end = Math.min(logits.length, word * 32 + 32);
      for (let id = word * 32; id < end; id++) if (((bits >>> (id & 31)) & 1) === 0) logits[id] = -Infinity;
    }
  }

  /** After the end id that the grammar asked for, which `ignore_eos` must not pass over: free text would follow the JSON. */
  get ended(): boolean {
    return this.#ended;
  }

  accept(id: number): void {
    this.#ended ||= this.#source.stopTokenIds.includes(id);
    this.#next = this.#source.accept(id);
    // Nobody may ask for it: the answer may be over.
    this.#next.catch(() => undefined);
  }

  dispose(): void {
    this.#source.close();
  }
}
