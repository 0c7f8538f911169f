import { describe, expect, it } from "vitest";
import { harness, request } from "./builtin.ts";
import { fakeBackbone } from "./fake-backbone.ts";

const [QUIET, BUSY] = ["1111111111111111", "2222222222222222"];

/** Two tenants that keep `kept` requests open each; how many of each have ended after so many steps. */
async function share(kept: readonly { readonly salt: (i: number) => string; readonly open: number }[], steps: number) {
  const { engine, outcome } = harness(fakeBackbone(), { maxSequences: 1 });
  const sent = kept.map((): string[] => []);
  const ended = (ids: readonly string[]): number => ids.filter((id) => outcome(id).end !== null).length;
  for (let step = 0; step < steps; step++) {
    for (const [who, { salt, open }] of kept.entries()) {
      const ids = sent[who] ?? [];
      while (ids.length - ended(ids) < open) {
        const one = request({
          tokenIds: [1, 8, 9],
          salt: salt(ids.length),
          sampling: { max_tokens: 10, ignore_eos: true },
        });
        ids.push(one.id);
        engine.submit(one);
      }
    }
    await engine.step();
  }
  return sent.map(ended);
}

describe("turns at the origin", () => {
  it("are shared by keys: neither more requests nor a new salt for each brings more of them", async () => {
    for (const salt of [() => BUSY, (i: number) => `${BUSY}${i}`]) {
      const [quiet = 0, busy = 0] = await share(
        [
          { salt: () => QUIET, open: 2 },
          { salt, open: 16 },
        ],
        600,
      );
      expect(quiet).toBeGreaterThan(20);
      expect(Math.abs(quiet - busy)).toBeLessThanOrEqual(2);
    }
  });

  it("are not fewer for one that had the idle origin to itself before", async () => {
    const { engine, outcome, drain } = harness(fakeBackbone(), { maxSequences: 1 });
    const sampling = { max_tokens: 20, ignore_eos: true };
    for (let i = 0; i < 20; i++)
      engine.submit(request({ tokenIds: [1, 8, 9], salt: BUSY, sampling: { ...sampling, max_tokens: 200 } }));
    await drain();
    const others = Array.from({ length: 20 }, () => request({ tokenIds: [1, 8, 9], salt: QUIET, sampling }));
    for (const one of others) engine.submit(one);
    await engine.step();
    engine.submit(request({ id: "back", tokenIds: [1, 8, 9], salt: BUSY, sampling }));
    while (outcome("back").end === null) await engine.step();
    expect(others.filter(({ id }) => outcome(id).end !== null).length).toBeLessThanOrEqual(2);
  });
});
