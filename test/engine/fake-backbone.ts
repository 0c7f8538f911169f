import type { Backbone, KvSequence } from "../../functions/origin/backbones/backbone.ts";
import { SlotSequence, type SlotCache } from "../../functions/origin/backbones/slot-cache.ts";
import type { BackboneSpec } from "../../functions/origin/backbones/spec.ts";

export const SPEC: BackboneSpec = {
  layout: "merged",
  layers: 1,
  kvHeads: 1,
  headDim: 1,
  hiddenSize: 1,
  vocabSize: 16,
  maxPositions: 2048,
  eosTokenIds: [2],
  positions: "sequential",
  cacheType: "float32",
  mergeSize: 2,
  imageTokenId: 3,
  entangled: false,
  attention: "causal",
  firstPosition: 0,
};

/**
 * For tests of who runs when: an answer is 5, 6, 7, ... by how much is cached, and takes no time.
 * @param slots keeps its caches there; without, they take no memory
 */
export function fakeBackbone(change: Partial<BackboneSpec> = {}, slots: SlotCache | null = null): Backbone {
  const spec = { ...SPEC, ...change };
  const known = new WeakMap<KvSequence, { held: number }>();
  const run = (kv: KvSequence, tokens: number): Float32Array => {
    slots?.reserve(kv.held + tokens);
    add(kv, tokens);
    const logits = new Float32Array(spec.vocabSize);
    logits[5 + (kv.held % (spec.vocabSize - 5))] = 1;
    return logits;
  };
  const add = (kv: KvSequence, tokens: number): void => {
    const own = known.get(kv);
    if (own === undefined) throw new TypeError("a cache of another backbone, or closed");
    own.held += tokens;
  };
  return {
    spec,
    provider: { provider: "cpu", reason: "a test" },
    embed: (ids) => Promise.resolve(Float32Array.from(ids)),
    open(expected) {
      const kv = slots?.open(expected) ?? { held: 0 };
      known.set(kv, kv);
      return kv;
    },
    close(kv) {
      if (kv instanceof SlotSequence) slots?.close(kv);
      known.delete(kv);
    },
    footprint: (lengths) => slots?.footprint(lengths) ?? lengths.reduce((sum, length) => sum + length, 0),
    plan: (lengths, tight) => slots?.plan(lengths, tight),
    prefill: (kv, embeds) => Promise.resolve(run(kv, embeds.length)),
    groups: (rows) => (rows.length === 0 ? [] : [rows]),
    decode: (group) => Promise.resolve(group.map(({ kv }) => run(kv, 1))),
    readBlock: (_kv, _from, count) => new Float32Array(2 * count),
    appendBlocks(kv, blocks, count) {
      slots?.reserve(kv.held + blocks.length * count);
      add(kv, blocks.length * count);
    },
    dispose: () => Promise.resolve(),
  };
}
