import { ADVERSARIAL, bytesOf, LONG_TEXT, SHORT_TEXTS } from "./inputs.ts";

/** What one contender answers. Times in ms, memory in MB, speeds in MB of UTF-8 a second. */
export interface Figures {
  readonly load: number;
  readonly heap: number;
  readonly long: number;
  readonly short: number;
  /** Largest time(64k) / time(16k), and of which input. */
  readonly ratio: number;
  readonly ratioOf: string;
  /** Longest time at 64k. */
  readonly worst: number;
  readonly worstOf: string;
  /** Tokens of the long text: contenders of one vocabulary must agree. */
  readonly tokens: number;
}

/** Time beyond which an adversarial input of 16k is not tried at 64k: the point is made. */
const PATIENCE_MS = 4000;

/** Milliseconds of one call, the best of some. */
async function best(run: () => number | Promise<number>, atLeastMs: number): Promise<number> {
  let lowest = Infinity;
  const end = performance.now() + atLeastMs;
  for (let i = 0; i < 2 || performance.now() < end; i++) {
    lowest = Math.min(lowest, await run());
    if (lowest > PATIENCE_MS) break;
  }
  return lowest;
}

/** A contender: `time` gives the milliseconds of encoding all texts once. */
export interface Contender {
  readonly load: number;
  readonly heap: number;
  time(texts: readonly string[]): number | Promise<number>;
  tokens(text: string): number | Promise<number>;
}

export async function measure(contender: Contender): Promise<Figures> {
  await best(() => contender.time([LONG_TEXT]), 500);
  const long = await best(() => contender.time([LONG_TEXT]), 1500);
  const short = await best(() => contender.time(SHORT_TEXTS), 1000);
  let ratio = 0;
  let ratioOf = "";
  let worst = 0;
  let worstOf = "";
  for (const [name, make] of Object.entries(ADVERSARIAL)) {
    const small = await best(() => contender.time([make(16_000)]), 60);
    const large = small > PATIENCE_MS ? Infinity : await best(() => contender.time([make(64_000)]), 60);
    if (large / small > ratio) [ratio, ratioOf] = [large / small, name];
    if (large > worst) [worst, worstOf] = [large, name];
  }
  return {
    load: contender.load,
    heap: contender.heap,
    long: bytesOf([LONG_TEXT]) / 1000 / long,
    short: bytesOf(SHORT_TEXTS) / 1000 / short,
    ratio,
    ratioOf,
    worst,
    worstOf,
    tokens: await contender.tokens(LONG_TEXT),
  };
}
