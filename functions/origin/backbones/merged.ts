import { Tensor, type InferenceSession } from "onnxruntime-node";
import type { Backbone, DecodeRow, KvSequence } from "./backbone.ts";
import { cacheArray, cacheOutput, type CacheArray, type CacheType } from "./cache-array.ts";
import type { EmbedTokens } from "./embed-tokens.ts";
import { copyRows, type RowPlace } from "./kv-copy.ts";
import { positionIds, type PromptPositions } from "./position-ids.ts";
import type { ProviderChoice } from "./providers.ts";
import { cacheTensorNames, type BackboneSpec } from "./spec.ts";
import { floats, joinRows, ones, stack } from "./tensors.ts";

/** What one sequence holds: one array `[kv_heads, held, head_dim]` per cache tensor. */
class MergedSequence implements KvSequence {
  held = 0;
  arrays: readonly CacheArray[];
  readonly positions: PromptPositions | undefined;

  constructor(tensors: number, type: CacheType, positions: PromptPositions | undefined) {
    this.positions = positions;
    this.arrays = Array.from({ length: tensors }, () => cacheArray(type, 0));
  }
}

/**
 * A graph that returns past and new rows concatenated (`decoder_model_merged` of transformers.js). Rows of one call
 * share the length of their past, so sequences that hold equally much decode together and others follow one by one.
 */
export class MergedBackbone implements Backbone {
  readonly spec: BackboneSpec;
  readonly provider: ProviderChoice;
  readonly #session: InferenceSession;
  readonly #embedTokens: EmbedTokens;
  readonly #names: readonly string[];

  constructor(spec: BackboneSpec, provider: ProviderChoice, session: InferenceSession, embedTokens: EmbedTokens) {
    this.spec = spec;
    this.provider = provider;
    this.#session = session;
    this.#embedTokens = embedTokens;
    this.#names = cacheTensorNames(spec.layers);
  }

  embed(ids: Int32Array): Promise<Float32Array> {
    return this.#embedTokens.run(ids);
  }

  open(_expected: number, positions?: PromptPositions): KvSequence {
    return new MergedSequence(this.#names.length, this.spec.cacheType, positions);
  }

  close(kv: KvSequence): void {
    const sequence = own(kv);
    sequence.arrays = [];
    sequence.held = 0;
  }

  /** Each takes what it holds. */
  footprint(lengths: readonly number[]): number {
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  plan(): void {
    // Nothing is made in advance, and nothing is left over.
  }

  async prefill(kv: KvSequence, embeds: Float32Array): Promise<Float32Array> {
    const width = embeds.length / this.spec.hiddenSize;
    const [logits] = await this.#run([own(kv)], embeds, width);
    if (logits === undefined) throw new Error("The graph returned no logits.");
    return logits;
  }

  /** Equal pasts share a call, and never where activations share one scale. */
  groups(rows: readonly DecodeRow[]): readonly (readonly DecodeRow[])[] {
    if (this.spec.entangled) return rows.map((row) => [row]);
    const byLength = new Map<number, DecodeRow[]>();
    for (const row of rows) {
      const group = byLength.get(row.kv.held);
      if (group === undefined) byLength.set(row.kv.held, [row]);
      else group.push(row);
    }
    return [...byLength.values()];
  }

  decode(group: readonly DecodeRow[]): Promise<readonly Float32Array[]> {
    const sequences = group.map(({ kv }) => own(kv));
    return this.#run(sequences, stack(group.map(({ embeds }) => embeds)), 1);
  }

  async #run(sequences: readonly MergedSequence[], embeds: Float32Array, width: number): Promise<Float32Array[]> {
    const { kvHeads, headDim, hiddenSize, vocabSize, cacheType } = this.spec;
    const batch = sequences.length;
    const held = sequences[0]?.held ?? 0;
    const feeds: Record<string, Tensor> = {
      inputs_embeds: new Tensor("float32", embeds, [batch, width, hiddenSize]),
      attention_mask: ones([batch, held + width]),
      ...positionIds(this.spec, sequences, width),
    };
    this.#names.forEach((name, index) => {
      const parts = sequences.map(({ arrays }) => arrays[index] ?? cacheArray(cacheType, 0));
      const past = joinRows(parts, (length) => cacheArray(cacheType, length));
      feeds[`past_key_values.${name}`] = new Tensor(cacheType, past, [batch, kvHeads, held, headDim]);
    });
    const outputs = await this.#session.run(feeds);

    const presents = this.#names.map((name) => cacheOutput(outputs, `present.${name}`, cacheType));
    const size = kvHeads * (held + width) * headDim;
    sequences.forEach((sequence, row) => {
      // A row of a shared output is copied, or the whole batch would live as long as any of its sequences.
      sequence.arrays = presents.map((data) => (batch === 1 ? data : data.slice(row * size, (row + 1) * size)));
      sequence.held = held + width;
    });
    const logits = floats(outputs, "logits");
    return sequences.map((_, row) => {
      const last = (row + 1) * width - 1;
      return logits.subarray(last * vocabSize, (last + 1) * vocabSize);
    });
  }

  readBlock(kv: KvSequence, from: number, count: number): CacheArray {
    const sequence = own(kv);
    const { kvHeads, headDim, cacheType } = this.spec;
    const block = cacheArray(cacheType, this.#names.length * kvHeads * count * headDim);
    sequence.arrays.forEach((array, index) => {
      const source: RowPlace = { array, offset: 0, room: sequence.held, at: from };
      const target: RowPlace = { array: block, offset: index * kvHeads * count * headDim, room: count, at: 0 };
      copyRows(source, target, count, kvHeads, headDim);
    });
    return block;
  }

  appendBlocks(kv: KvSequence, blocks: readonly CacheArray[], count: number): void {
    const sequence = own(kv);
    const { kvHeads, headDim, cacheType } = this.spec;
    const { held } = sequence;
    const room = held + blocks.length * count;
    sequence.arrays = sequence.arrays.map((array, index) => {
      const joined = cacheArray(cacheType, kvHeads * room * headDim);
      const target = { array: joined, offset: 0, room };
      copyRows({ array, offset: 0, room: held, at: 0 }, { ...target, at: 0 }, held, kvHeads, headDim);
      for (const [n, block] of blocks.entries()) {
        const source = { array: block, offset: index * kvHeads * count * headDim, room: count, at: 0 };
        copyRows(source, { ...target, at: held + n * count }, count, kvHeads, headDim);
      }
      return joined;
    });
    sequence.held = room;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
    await this.#embedTokens.dispose();
  }
}

function own(kv: KvSequence): MergedSequence {
  if (!(kv instanceof MergedSequence)) throw new TypeError("This cache belongs to another backbone.");
  return kv;
}
