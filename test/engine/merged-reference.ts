import { InferenceSession, Tensor } from "onnxruntime-node";
import { decodeF16, encodeF16 } from "../../shared/frame/f16.ts";
import type { BackboneSpec } from "../../functions/origin/backbones/spec.ts";

/** Greedy ids by plain calls of a float32 graph whose past is concatenated: no engine, no batch, no cache of our own. */
export async function mergedReference(
  files: { readonly decoder: string; readonly embedTokens: string },
  spec: BackboneSpec,
  prompt: readonly number[],
  tokens: number,
): Promise<number[]> {
  const [decoder, embedTokens] = await Promise.all([
    InferenceSession.create(files.decoder),
    InferenceSession.create(files.embedTokens),
  ]);
  const { layers, kvHeads, headDim, vocabSize } = spec;
  const cache = new Map<string, { readonly data: Float32Array; readonly dims: readonly number[] }>();
  for (let n = 0; n < layers; n++)
    for (const kind of ["key", "value"])
      cache.set(`${n}.${kind}`, { data: new Float32Array(0), dims: [1, kvHeads, 0, headDim] });
  const ids: number[] = [];
  let held = 0;
  const chunks = spec.cacheType === "float16" ? chunksOf48(prompt) : [[...prompt]];
  while (ids.length < tokens) {
    const input = chunks.shift() ?? ids.slice(-1);
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
      cache.set(name, { data: spec.cacheType === "float16" ? decodeF16(encodeF16(data)) : data, dims });
    }
    const logits = outputs["logits"]?.data;
    if (!(logits instanceof Float32Array)) throw new Error("no logits");
    const last = logits.subarray(logits.length - vocabSize);
    if (chunks.length === 0) ids.push(last.indexOf(Math.max(...last)));
    held = total;
  }
  await Promise.all([decoder.release(), embedTokens.release()]);
  return ids;
}

/** 48 at a time, and no single one at the end. */
function chunksOf48(prompt: readonly number[]): number[][] {
  const chunks: number[][] = [];
  let from = 0;
  for (; prompt.length - from > 49; from += 48) chunks.push(prompt.slice(from, from + 48));
  return [...chunks, prompt.slice(from)];
}
