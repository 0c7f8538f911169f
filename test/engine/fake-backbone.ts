import type { Backbone, KvSequence } from "../../functions/origin/backbones/backbone.ts";
import type { BackboneSpec } from "../../functions/origin/backbones/spec.ts";

const SPEC: BackboneSpec = {
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

/** For tests of who runs when: an answer is 5, 6, 7, ... by how much is cached, and takes no time. */
export function fakeBackbone(change: Partial<BackboneSpec> = {}): Backbone {
  const spec = { ...SPEC, ...change };
  const held = new WeakMap<KvSequence, number>();
  const run = (kv: KvSequence, tokens: number): Float32Array => {
    held.set(kv, kv.held + tokens);
    const logits = new Float32Array(spec.vocabSize);
    logits[5 + (kv.held % (spec.vocabSize - 5))] = 1;
    return logits;
  };
  return {
    spec,
    provider: { provider: "cpu", reason: "a test" },
    embed: (ids) => Promise.resolve(Float32Array.from(ids)),
    open: () => {
      const kv = {
        get held(): number {
          return held.get(kv) ?? 0;
        },
      };
      return kv;
    },
    close: (kv) => void held.delete(kv),
    prefill: (kv, embeds) => Promise.resolve(run(kv, embeds.length)),
    groups: (rows) => (rows.length === 0 ? [] : [rows]),
    decode: (group) => Promise.resolve(group.map(({ kv }) => run(kv, 1))),
    readBlock: (_kv, _from, count) => new Float32Array(2 * count),
    appendBlocks: (kv, blocks, count) => void held.set(kv, kv.held + blocks.length * count),
    dispose: () => Promise.resolve(),
  };
}
