import { expect } from "vitest";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";
import type { EngineSettings } from "../../functions/origin/engine/settings.ts";
import { alone, harness, random } from "./builtin.ts";

export interface Coming {
  readonly seed: number;
  /** Of the engine in which all meet. */
  readonly settings: Partial<EngineSettings>;
  /** Of the engines in which each is alone. */
  readonly alone?: Partial<EngineSettings>;
}

/**
 * All requests come in some order, a few at a time, and every fifth leaves again while it waits or runs: each that stays must have
 * seen exactly what it sees alone, each that left the beginning of it.
 */
export async function expectAsAlone(
  backbone: Backbone,
  requests: readonly GenerateRequest[],
  coming: Coming,
): Promise<void> {
  const expected = await alone(backbone, requests, coming.alone);
  const { engine, outcome } = harness(backbone, coming.settings);
  const next = random(coming.seed);
  const waiting = [...requests.entries()];
  const left = new Set<number>();
  for (let steps = 0; waiting.length > 0 || !engine.idle; steps++) {
    expect(steps).toBeLessThan(10_000);
    while (waiting.length > 0 && next() < 0.3) {
      const [[n, joined] = []] = waiting.splice(Math.floor(next() * waiting.length), 1);
      if (n === undefined || joined === undefined) break;
      engine.submit(joined);
      if (n % 5 === 4) left.add(n);
    }
    for (const n of left) if (next() < 0.07) engine.cancel(requests[n]?.id ?? "");
    await engine.step();
  }
  expect(left.size).toBeGreaterThan(0);
  for (const [n, { id }] of requests.entries()) {
    const all = expected[n]?.transcript ?? [];
    const seen = outcome(id).transcript;
    expect(seen).toEqual(left.has(n) ? all.slice(0, seen.length) : all);
  }
}
