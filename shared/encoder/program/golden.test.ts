import { describe, expect, it } from "vitest";
import { cosine } from "../compile/calibrate.ts";
import { LINEAR_KINDS } from "../compile/pack.ts";
import plainModule from "../encoder-plain.wasm";
import relaxedModule from "../encoder.wasm";
import { assembled, GOLDEN, pictureOf, sha256 } from "./fixtures.testing.ts";
import { parseProgram } from "./program.ts";
import { Machine } from "./run.ts";

/** Attention is in bytes whatever the products are. */
const LEAST = { i8_u7: 0.998, i16_i8: 0.9997, f32: 0.99998 };

describe("golden features", () => {
  for (const name of ["vit", "idefics3", "written-out"] as const) {
    for (const kind of ["i8_u7", "i16_i8", "f32"] as const) {
      it(`${name} with ${kind}: the recorded hash on both builds, both ways, close to native onnxruntime`, async () => {
        const { program, weights } = assembled(name, LINEAR_KINDS[kind]);
        const ways = [relaxedModule, plainModule].flatMap((module) =>
          [true, false].map((pairs) => ({ module, pairs })),
        );
        for (const { module, pairs } of ways) {
          const machine = new Machine(parseProgram(program), module, pairs);
          machine.weights().set(weights);
          const features = await machine.run((input) => input.set(pictureOf(name)));
          expect(await sha256(features)).toBe(GOLDEN[name].sha256[kind]);
          expect(cosine(features, Float32Array.from(GOLDEN[name].image_features))).toBeGreaterThan(LEAST[kind]);
          // What one picture leaves in the arena is nothing to the next.
          const again = await machine.run((input) => input.set(pictureOf(name)));
          expect(again).toEqual(features);
        }
      });
    }
  }
});

describe("run", () => {
  const load = (): Machine => {
    const { program, weights } = assembled("vit");
    const machine = new Machine(parseProgram(program), relaxedModule);
    machine.weights().set(weights);
    return machine;
  };

  it("shows progress, can be cancelled between layers, and the next run is whole", async () => {
    const machine = load();
    const abort = new AbortController();
    const seen: number[] = [];
    const cancelled = machine.run((input) => input.set(pictureOf("vit")), {
      signal: abort.signal,
      workPerTurn: 1,
      onProgress: (share) => {
        seen.push(share);
        if (share > 0.4) abort.abort(new Error("gone"));
      },
    });
    await expect(cancelled).rejects.toThrow("gone");
    expect(seen.length).toBeGreaterThan(5);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(Math.max(...seen)).toBeLessThan(0.9);
    const features = await machine.run((input) => input.set(pictureOf("vit")));
    expect(await sha256(features)).toBe(GOLDEN.vit.sha256.i8_u7);
  });

  it("refuses a second picture while one runs, and an aborted signal at once", async () => {
    const machine = load();
    const first = machine.run((input) => input.set(pictureOf("vit")), { workPerTurn: 1 });
    await expect(machine.run((input) => input.fill(0))).rejects.toThrow("one picture at a time");
    expect(await sha256(await first)).toBe(GOLDEN.vit.sha256.i8_u7);
    await expect(machine.run((input) => input.fill(0), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it("never hands out a feature that is not finite", async () => {
    await expect(load().run((input) => input.fill(Infinity))).rejects.toThrow("not finite");
  });
});
