import { samplingSchema } from "../../shared/frame/schema.ts";
import type { EngineHost } from "../../functions/origin/engine/host.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";

let count = 0;

export function greedy(tokenIds: Int32Array, max_tokens: number, salt = ""): GenerateRequest {
  return {
    id: `bench-${count++}`,
    tokenIds,
    features: [],
    sampling: samplingSchema.parse({ max_tokens, temperature: 0, ignore_eos: true }),
    salt,
    priority: 0,
    deadline: null,
  };
}

/** When each token of one stream came, milliseconds. */
export function stream(engine: EngineHost, request: GenerateRequest): Promise<number[]> {
  const times: number[] = [];
  return new Promise((resolve, reject) => {
    engine.submit(request, (event) => {
      if (event.type === "tokens") for (const _ of event.ids) times.push(performance.now());
      if (event.type === "end") resolve(times);
      if (event.type === "error") reject(new Error(event.message));
    });
  });
}

/** Tokens per second of one stream for each prompt, all at once, from the moment when all of them run. */
export async function throughput(engine: EngineHost, prompts: readonly Int32Array[], tokens: number): Promise<number> {
  const streams = await Promise.all(prompts.map((ids) => stream(engine, greedy(ids, tokens))));
  const began = Math.max(...streams.map((times) => times[0] ?? 0));
  const ended = Math.min(...streams.map((times) => times.at(-1) ?? 0));
  const counted = streams.flat().filter((time) => time > began && time <= ended).length;
  return (counted / (ended - began)) * 1000;
}

/** Milliseconds from submission to the first token. */
export async function timeToFirstToken(engine: EngineHost, ids: Int32Array, salt: string): Promise<number> {
  const started = performance.now();
  const [first = Number.NaN] = await stream(engine, greedy(ids, 2, salt));
  return first - started;
}

/** Gaps between tokens of `batch` running streams, and those while a long prompt came in. */
export async function gapsUnderLongPrompt(
  engine: EngineHost,
  prompts: readonly Int32Array[],
  long: Int32Array,
  batch: number,
): Promise<{ readonly quiet: number[]; readonly busy: number[] }> {
  let arrived = Number.POSITIVE_INFINITY;
  let prefilled = Number.POSITIVE_INFINITY;
  const running = Array.from({ length: batch }, (_, i) => stream(engine, greedy(prompts[i] ?? long, 100, "gaps")));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  arrived = performance.now();
  const [first = Number.NaN] = await stream(engine, greedy(long, 2, `gaps-${arrived}`));
  prefilled = first;
  const streams = await Promise.all(running);
  const gaps = streams.flatMap((times) => times.slice(1).map((time, i) => ({ time, gap: time - (times[i] ?? time) })));
  return {
    quiet: gaps.filter(({ time }) => time < arrived || time > prefilled).map(({ gap }) => gap),
    busy: gaps.filter(({ time }) => time >= arrived && time <= prefilled).map(({ gap }) => gap),
  };
}
