import { Tensor, type InferenceSession } from "onnxruntime-node";
import type { Backbone, DecodeRow, KvSequence } from "./backbone.ts";
import { cacheOutput, type CacheArray } from "./cache-array.ts";
import type { EmbedTokens } from "./embed-tokens.ts";
import { positionIds, type PromptPositions } from "./position-ids.ts";
import type { ProviderChoice } from "./providers.ts";
import { SlotCache, SlotSequence } from "./slot-cache.ts";
import { cacheTensorNames, type BackboneSpec } from "./spec.ts";
import { floats, rightPaddedMask, stack } from "./tensors.ts";

/**
 * Graphs whose past lies in slots with room to spare. `rows` only reads it and hands back the new rows, which are
 * written here; `gqa` writes into the same memory itself (past and present are one buffer). Sequences of any length
 * decode together, each bit for bit as if it were alone.
 */
export class SlotBackbone implements Backbone {
  readonly spec: BackboneSpec;
  readonly provider: ProviderChoice;
  readonly #session: InferenceSession;
  readonly #embedTokens: EmbedTokens;
  readonly #names: readonly string[];
  readonly #cache: SlotCache;
  /** Whether one row alone runs beside an idle one. */
  #inPairs = false;
  /** `past_key_values.*` by first slot and number of slots, as long as the cache stays where it is. */
  readonly #pasts = new Map<string, Readonly<Record<string, Tensor>>>();

  constructor(
    spec: BackboneSpec,
    provider: ProviderChoice,
    session: InferenceSession,
    embedTokens: EmbedTokens,
    maxSequences: number,
  ) {
    this.spec = spec;
    this.provider = provider;
    this.#session = session;
    this.#embedTokens = embedTokens;
    this.#names = cacheTensorNames(spec.layers);
    this.#cache = new SlotCache(spec, maxSequences, () => this.#pasts.clear());
  }

  /**
   * On some processors onnxruntime multiplies one row by another kernel than several, and where activations are rounded to int8 the
   * last bits decide tokens: an answer would depend on who else asks. There one row runs beside an idle one from now on. `rows` alone:
   * the other slot is read only, whoever it belongs to.
   */
  async agreeWithItself(): Promise<void> {
    if (this.spec.layout !== "rows" || this.spec.entangled) return;
    this.#cache.lone = 2;
    const kv = this.#cache.open(2);
    try {
      const embeds = Float32Array.from({ length: this.spec.hiddenSize }, (_, i) => Math.sin(i));
      const [alone] = await this.#run([kv], embeds, 1);
      kv.held = 0;
      this.#inPairs = true;
      const [paired] = await this.#run([kv], embeds, 1);
      this.#inPairs = alone?.some((logit, i) => logit !== paired?.[i]) ?? false;
    } finally {
      this.#cache.close(kv);
      this.#cache.lone = this.#inPairs ? 2 : 1;
    }
  }

  embed(ids: Int32Array): Promise<Float32Array> {
    return this.#embedTokens.run(ids);
  }

  open(expected: number, positions?: PromptPositions): KvSequence {
    const sequence = this.#cache.open(expected);
    sequence.positions = positions;
    return sequence;
  }

  close(kv: KvSequence): void {
    this.#cache.close(own(kv));
  }

  footprint(lengths: readonly number[]): number {
    return this.#cache.footprint(lengths);
  }

  plan(lengths: readonly number[], tight: boolean): void {
    this.#cache.plan(lengths, tight);
  }

  async prefill(kv: KvSequence, embeds: Float32Array): Promise<Float32Array> {
    const [logits] = await this.#run([own(kv)], embeds, embeds.length / this.spec.hiddenSize);
    if (logits === undefined) throw new Error("The graph returned no logits.");
    return logits;
  }

  /** All rows share a call, and none where activations share one scale. */
  groups(rows: readonly DecodeRow[]): readonly (readonly DecodeRow[])[] {
    if (this.spec.entangled) return rows.map((row) => [row]);
    return rows.length === 0 ? [] : [rows];
  }

  async decode(group: readonly DecodeRow[]): Promise<readonly Float32Array[]> {
    const rows = new Map(group.map((row) => [own(row.kv), row]));
    const arranged = this.#cache.arrange([...rows.keys()]);
    const embeds = stack(arranged.map((sequence) => rows.get(sequence)?.embeds ?? new Float32Array(0)));
    const logits = await this.#run(arranged, embeds, 1);
    const results = new Map(arranged.map((sequence, index) => [sequence, logits[index]]));
    return group.map(({ kv }) => results.get(own(kv)) ?? new Float32Array(0));
  }

  /** The sequences lie in neighbouring slots, in this order; each gets `width` new positions. */
  async #run(sequences: readonly SlotSequence[], embeds: Float32Array, width: number): Promise<Float32Array[]> {
    const { hiddenSize, vocabSize, layout, cacheType } = this.spec;
    const starts = sequences.map(({ held }) => held);
    this.#cache.reserve(Math.max(...starts) + width);
    const rows = this.#rowsOf(sequences, width);
    const batch = rows.length;
    const mine = rows.indexOf(sequences[0] ?? IDLE);

    const feeds: Record<string, Tensor> = {
      ...this.#past((sequences[0]?.slot ?? 0) - mine, batch),
      inputs_embeds: new Tensor("float32", placed(embeds, mine, batch * width * hiddenSize), [
        batch,
        width,
        hiddenSize,
      ]),
      attention_mask: rightPaddedMask(rows.map(({ held }) => held + width)),
      ...positionIds(this.spec, rows, width),
    };
    if (layout === "rows") {
      feeds["logits_index"] = new Tensor("int64", new BigInt64Array(batch).fill(BigInt(width - 1)), [batch]);
    }
    const fetches: Record<string, Tensor | null> = { logits: null };
    for (const name of this.#names) {
      if (layout === "gqa") fetches[`present.${name}`] = feeds[`past_key_values.${name}`];
      else fetches[`new_key_values.${name}`] = null;
    }
    const outputs = await this.#session.run(feeds, fetches);

    if (layout === "rows") {
      const places = this.#cache.nextRows(sequences);
      this.#names.forEach((name, index) => {
        const found = cacheOutput(outputs, `new_key_values.${name}`, cacheType);
        const size = found.length / batch;
        const rowsOfMine = batch === sequences.length ? found : found.subarray(mine * size, (mine + 1) * size);
        this.#cache.putRows(index, places, rowsOfMine);
      });
    }
    for (const sequence of sequences) sequence.held += width;

    const logits = floats(outputs, "logits");
    return sequences.map((_, n) => {
      const row = mine + n;
      const at = layout === "rows" ? row : (row + 1) * width - 1;
      return logits.subarray(at * vocabSize, (at + 1) * vocabSize);
    });
  }

  /** The rows of a call: the sequences, or one of them and an idle row where its neighbour lies. */
  #rowsOf(sequences: readonly SlotSequence[], width: number): readonly SlotSequence[] {
    const [only] = sequences;
    const lonely = only !== undefined && sequences.length === 1 && width === 1;
    if (!this.#inPairs || !lonely || this.#cache.slots < 2) return sequences;
    return only.slot + 1 < this.#cache.slots ? [only, IDLE] : [IDLE, only];
  }

  /** Views of neighbouring slots. A step's are those of the step before, mostly. */
  #past(first: number, batch: number): Readonly<Record<string, Tensor>> {
    const key = `${first}+${batch}`;
    const known = this.#pasts.get(key);
    if (known !== undefined) return known;
    const { kvHeads, headDim, cacheType } = this.spec;
    const dims = [batch, kvHeads, this.#cache.room, headDim];
    const past = Object.fromEntries(
      this.#names.map((name, index) => {
        const view = this.#cache.view(index, first, batch);
        return [`past_key_values.${name}`, new Tensor(cacheType, view, dims)] as const;
      }),
    );
    this.#pasts.set(key, past);
    return past;
  }

  readBlock(kv: KvSequence, from: number, count: number): CacheArray {
    return this.#cache.readBlock(own(kv), from, count);
  }

  appendBlocks(kv: KvSequence, blocks: readonly CacheArray[], count: number): void {
    this.#cache.reserve(kv.held + blocks.length * count);
    for (const block of blocks) this.#cache.appendBlock(own(kv), block, count);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
    await this.#embedTokens.dispose();
  }
}

/** Nobody's sequence: what its row gives is left alone. */
const IDLE = new SlotSequence(0);

/** The rows of `embeds` from row `first` on among zeros, `length` numbers in all. */
function placed(embeds: Float32Array, first: number, length: number): Float32Array {
  if (embeds.length === length) return embeds;
  const rows = new Float32Array(length);
  rows.set(embeds, first * embeds.length);
  return rows;
}

function own(kv: KvSequence): SlotSequence {
  if (!(kv instanceof SlotSequence)) throw new TypeError("This cache belongs to another backbone.");
  return kv;
}
