import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import { kvBytesPerToken } from "../../functions/origin/backbones/spec.ts";
import { warmUp } from "../../functions/origin/engine/warm-up.ts";
import { decodeF16, encodeF16 } from "../../shared/frame/f16.ts";
import { FIXTURES } from "../zoo/models.ts";
import { harness, request } from "./builtin.ts";
import { withHalfCache } from "./half-cache.ts";

const ONNX = path.join(FIXTURES, "llava-next/onnx");
const FULL = path.join(ONNX, "decoder_model_merged.onnx");
const EMBED = path.join(ONNX, "embed_tokens.onnx");
const TOKENS = 16;

let folder = "";
let backbone: Backbone;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-half-"));
  await mkdir(folder, { recursive: true });
  for (const name of readdirSync(ONNX)) await copyFile(path.join(ONNX, name), path.join(folder, name));
  const half = path.join(folder, "decoder_model_merged_q4f16.onnx");
  await writeFile(half, await withHalfCache(await readFile(FULL)));
  const config: unknown = JSON.parse(readFileSync(path.join(FIXTURES, "llava-next/config.json"), "utf8"));
  const shared = { provider: "cpu", threads: 1, maxSequences: 8, config, generationConfig: {} } as const;
  backbone = await openBackbone({ ...shared, decoder: half, embedTokens: EMBED });
});

afterAll(async () => {
  await backbone.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Greedy ids by the float32 graph and no engine, with its cache rounded to float16 between calls. */
async function reference(prompt: readonly number[]): Promise<number[]> {
  const [decoder, embedTokens] = await Promise.all([FULL, EMBED].map((file) => InferenceSession.create(file)));
  if (decoder === undefined || embedTokens === undefined) throw new Error("two were opened");
  const { layers, kvHeads, headDim, vocabSize } = backbone.spec;
  const cache = new Map<string, { readonly data: Float32Array; readonly dims: readonly number[] }>();
  for (let n = 0; n < layers; n++)
    for (const kind of ["key", "value"])
      cache.set(`${n}.${kind}`, { data: new Float32Array(0), dims: [1, kvHeads, 0, headDim] });
  const ids: number[] = [];
  let held = 0;
  for (let input = [...prompt]; ids.length < TOKENS; input = ids.slice(-1)) {
    const total = held + input.length;
    const { inputs_embeds } = await embedTokens.run({
      input_ids: new Tensor("int64", BigInt64Array.from(input, BigInt), [1, input.length]),
    });
    if (inputs_embeds === undefined) throw new Error("no inputs_embeds");
    const feeds: Record<string, Tensor> = {
      inputs_embeds,
      attention_mask: new Tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
    };
    if (decoder.inputNames.includes("position_ids")) {
      const positions = BigInt64Array.from(input, (_, i) => BigInt(held + i));
      feeds["position_ids"] = new Tensor("int64", positions, [1, input.length]);
    }
    for (const [name, { data, dims }] of cache) feeds[`past_key_values.${name}`] = new Tensor("float32", data, dims);
    const outputs = await decoder.run(feeds);
    for (const name of cache.keys()) {
      const { data, dims } = outputs[`present.${name}`] ?? {};
      if (!(data instanceof Float32Array) || dims === undefined) throw new Error(`no present.${name}`);
      cache.set(name, { data: decodeF16(encodeF16(data)), dims });
    }
    const logits = outputs["logits"]?.data;
    if (!(logits instanceof Float32Array)) throw new Error("no logits");
    const last = logits.subarray(logits.length - vocabSize);
    ids.push(last.indexOf(Math.max(...last)));
    held = total;
  }
  await Promise.all([decoder.release(), embedTokens.release()]);
  return ids;
}

const prompts = [40, 70, 25].map((length, n) => Array.from({ length }, (_, i) => 100 + ((i * 37 + n * 11) % 350)));

describe("a graph whose cache is float16", () => {
  it("is told by its signature, and takes half the room", async () => {
    expect(backbone.spec.cacheType).toBe("float16");
    const { layers, kvHeads, headDim } = backbone.spec;
    expect(kvBytesPerToken(backbone.spec)).toBe(layers * 2 * kvHeads * headDim * 2);
    await expect(warmUp(backbone)).resolves.toBeUndefined();
  });

  it("gives the ids of the same graph with a rounded cache, in a batch, and again from the prefix cache", async () => {
    // One chunk each: a later chunk would read the rounded rows of the one before
    const { engine, outcome, drain } = harness(backbone, { maxChunkTokens: 512, prefillSliceMs: 10_000 });
    const sampling = { max_tokens: TOKENS, ignore_eos: true };
    for (const round of ["first", "again"]) {
      for (const [n, tokenIds] of prompts.entries())
        engine.submit(request({ id: `${round} ${n}`, tokenIds, sampling }));
      await drain();
    }
    for (const [n, prompt] of prompts.entries()) {
      expect(outcome(`first ${n}`).choices[0]).toEqual(await reference(prompt));
    }
    expect(outcome("again 1").cachedTokens).toBeGreaterThan(0);
    expect(outcome("again 1").choices[0]).toHaveLength(TOKENS);
  });
});
