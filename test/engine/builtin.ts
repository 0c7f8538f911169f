import type * as z from "zod";
import { readdirSync, readFileSync } from "node:fs";
import { decodeF16 } from "../../shared/frame/f16.ts";
import { samplingSchema } from "../../shared/frame/schema.ts";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import { openBackbone, type BackboneSource } from "../../functions/origin/backbones/open.ts";
import { Engine } from "../../functions/origin/engine/engine.ts";
import type { EngineSettings } from "../../functions/origin/engine/settings.ts";
import type { EngineEvent, FeatureRows, GenerateRequest } from "../../functions/origin/engine/request.ts";
import examples from "./golden/moji-examples.json" with { type: "json" };

const FOLDER = new URL("../../model-artifacts/moji-vlm-9m/", import.meta.url).pathname;
const IMAGE_TOKENS = 16;

/** The built-in model's own files, as they lie in the repository. */
export function builtinSource(): BackboneSource {
  return {
    provider: "cpu",
    threads: 1,
    maxSequences: SETTINGS.maxSequences,
    decoder: graph("decoder_model_merged"),
    embedTokens: graph("embed_tokens"),
    config: readJson("config.json"),
    generationConfig: readJson("generation_config.json"),
  };
}

export const SETTINGS: EngineSettings = {
  maxSequences: 16,
  kvBytes: 64 * 1024 * 1024,
  prefillSliceMs: 20,
  maxChunkTokens: 64,
  prefixCache: true,
};

export const openBuiltin = (): Promise<Backbone> => openBackbone(builtinSource());

/** The repository keeps one dtype a stage; which one, its file name tells. */
function graph(name: string): string {
  const file = readdirSync(`${FOLDER}onnx`).find((one) => one.startsWith(name) && one.endsWith(".onnx"));
  if (file === undefined) throw new Error(`the built-in model has no ${name}`);
  return `${FOLDER}onnx/${file}`;
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(FOLDER + name, "utf8")) as unknown;
}

let nextId = 0;

/** Any request: what is not named is greedy, 32 tokens, no picture. */
export function request(change: {
  readonly id?: string;
  readonly tokenIds: readonly number[];
  readonly features?: readonly FeatureRows[];
  readonly sampling?: Partial<z.input<typeof samplingSchema>>;
  readonly salt?: string;
  readonly priority?: number;
  readonly deadline?: number | null;
}): GenerateRequest {
  return {
    id: change.id ?? `r${nextId++}`,
    tokenIds: Int32Array.from(change.tokenIds),
    features: change.features ?? [],
    sampling: samplingSchema.parse({ max_tokens: 32, temperature: 0, ...change.sampling }),
    salt: change.salt ?? "",
    priority: change.priority ?? 0,
    deadline: change.deadline ?? null,
  };
}

/** A question about one of the examples' pictures, with the answer that was recorded for it. */
export function exampleRequest(index: number, change: Omit<Parameters<typeof request>[0], "tokenIds"> = {}) {
  const example = examples[index % examples.length];
  if (example === undefined) throw new RangeError("no example");
  const bytes = Uint8Array.from(atob(example.image_features), (char) => char.charCodeAt(0));
  const rows = decodeF16(new Uint16Array(bytes.buffer));
  const offset = example.prompt_token_ids.indexOf(3);
  const features = [{ hash: String(index).padStart(64, "0"), offset, length: IMAGE_TOKENS, row: 0, rows }];
  return {
    request: request({ ...change, tokenIds: example.prompt_token_ids, features }),
    answer: example.answer_token_ids,
  };
}

export const EXAMPLES = examples.length;

/** What a caller would have seen of each request. */
export interface Outcome {
  readonly choices: number[][];
  end: "end" | "error" | null;
  error: string | null;
  cachedTokens: number;
  /** Everything, in order, times left out: for byte-by-byte comparison. */
  readonly transcript: string[];
}

/** An engine with its events sorted by request. */
export function harness(backbone: Backbone, settings: Partial<EngineSettings> = {}, now?: () => number) {
  const outcomes = new Map<string, Outcome>();
  const outcome = (id: string): Outcome => {
    const known = outcomes.get(id) ?? { choices: [], end: null, error: null, cachedTokens: 0, transcript: [] };
    outcomes.set(id, known);
    return known;
  };
  const emit = (event: EngineEvent): void => {
    const of = outcome(event.id);
    if (event.type === "tokens") (of.choices[event.choice] ??= []).push(...event.ids);
    if (event.type === "end") of.cachedTokens = event.usage.cached_tokens;
    if (event.type === "error") of.error = event.code;
    if (event.type === "end" || event.type === "error") of.end = event.type;
    of.transcript.push(
      JSON.stringify(
        event.type === "end" ? { ...event, timing: null, usage: { ...event.usage, cached_tokens: 0 } } : event,
      ),
    );
  };
  const engine = new Engine({
    backbone,
    settings: { ...SETTINGS, ...settings },
    emit,
    randomSeed: () => 7,
    ...(now === undefined ? {} : { now }),
  });
  return {
    engine,
    outcome,
    drain: async (): Promise<void> => {
      for (let steps = 0; !engine.idle; steps++) {
        if (steps > 100_000) throw new Error("the engine does not come to an end");
        await engine.step();
      }
    },
  };
}

/** Each request alone in an engine of its own: what the others may not change. */
export async function alone(
  backbone: Backbone,
  requests: readonly GenerateRequest[],
  settings: Partial<EngineSettings> = {},
): Promise<Outcome[]> {
  const results: Outcome[] = [];
  for (const one of requests) {
    const { engine, outcome, drain } = harness(backbone, { prefixCache: false, ...settings });
    engine.submit(one);
    await drain();
    results.push(outcome(one.id));
  }
  return results;
}

/** Random numbers that a failing run can be repeated with (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
