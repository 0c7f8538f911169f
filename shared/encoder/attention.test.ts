import { describe, expect, it } from "vitest";
import { cosine } from "./compile/calibrate.ts";
import plainModule from "./encoder-plain.wasm";
import relaxedModule from "./encoder.wasm";
import { fill, KernelBench, random } from "./kernels.testing.ts";
import { attentionScratchBytes } from "./program/sizes.ts";

const modules = { relaxed: relaxedModule, plain: plainModule };

interface AttentionCase {
  readonly heads: number;
  readonly tq: number;
  readonly tk: number;
  readonly d: number;
}

/** q [tq, heads d], k and v [tk, heads d], as they stand in memory. */
type Operands = readonly [q: Float32Array, k: Float32Array, v: Float32Array];

function operandsOf({ heads, tq, tk, d }: AttentionCase): Operands {
  const next = random(tq * tk + d);
  return [fill(tq * heads * d, next), fill(tk * heads * d, next), fill(tk * heads * d, next)];
}

function runAttention(module: WebAssembly.Module, shape: AttentionCase, [q, k, v]: Operands, pairs = 0) {
  const { heads, tq, tk, d } = shape;
  const bench = new KernelBench(module);
  bench.kernels.usePairs(pairs);
  const strides = [d * 4, heads * d * 4] as const;
  const out = bench.place(tq * heads * d * 4);
  const [scratch, past] = [bench.place(attentionScratchBytes(tk, d)), bench.place(64)];
  const at = (values: Float32Array) => [bench.floats(values), ...strides] as const;
  bench.kernels.attention(out, ...strides, ...at(q), ...at(k), ...at(v), heads, tq, tk, d, 1 / Math.sqrt(d), scratch);
  expect(bench.bytesAt(past, 64).every((byte) => byte === 0xff)).toBe(true);
  return bench.read(out, tq * heads * d);
}

function attentionInDoubles({ heads, tq, tk, d }: AttentionCase, [q, k, v]: Operands): Float64Array {
  const width = heads * d;
  const at = (m: Float32Array, row: number, head: number, i: number): number => m[row * width + head * d + i] ?? NaN;
  const result = new Float64Array(tq * width);
  for (let h = 0; h < heads; h++) {
    for (let r = 0; r < tq; r++) {
      const scores = Array.from({ length: tk }, (_, t) => {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += at(q, r, h, i) * at(k, t, h, i);
        return dot / Math.sqrt(d);
      });
      const top = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - top));
      const sum = shares.reduce((a, b) => a + b, 0);
      for (let i = 0; i < d; i++)
        result[r * width + h * d + i] = shares.reduce((a, share, t) => a + (share / sum) * at(v, t, h, i), 0);
    }
  }
  return result;
}

describe("attention", () => {
  const shapes: AttentionCase[] = [
    { heads: 3, tq: 5, tk: 5, d: 16 },
    { heads: 2, tq: 37, tk: 37, d: 64 },
    { heads: 1, tq: 1, tk: 50, d: 12 },
    { heads: 2, tq: 9, tk: 130, d: 72 },
    { heads: 1, tq: 6, tk: 1, d: 4 },
    // The most keys of which shares go as words of 16 bits, and one more.
    { heads: 1, tq: 2, tk: 1032, d: 8 },
    { heads: 1, tq: 2, tk: 1033, d: 8 },
  ];
  for (const shape of shapes) {
    it(`${shape.heads} heads, [${shape.tq}, ${shape.tk}], width ${shape.d}: close to the definition, equal bits on both builds`, () => {
      const operands = operandsOf(shape);
      const found = runAttention(modules.relaxed, shape, operands);
      expect(cosine(found, attentionInDoubles(shape, operands))).toBeGreaterThan(0.9999);
      for (const module of Object.values(modules))
        for (const pairs of [0, 1]) expect(runAttention(module, shape, operands, pairs)).toEqual(found);
    });
  }

  const shape = { heads: 2, tq: 13, tk: 29, d: 32 };
  const [q, k, v] = operandsOf(shape);
  const changed = (values: Float32Array, change: (x: number, i: number) => number): Float32Array =>
    values.map((x, i) => change(x, i));

  it("is as exact where all keys have large channels in common", () => {
    const operands: Operands = [q, changed(k, (x, i) => x + (i % 8 === 0 ? 20 : 0)), v];
    const found = runAttention(modules.relaxed, shape, operands);
    expect(cosine(found, attentionInDoubles(shape, operands))).toBeGreaterThan(0.9999);
  });

  it("keeps the tail beside a share that is nearly all", () => {
    // One key takes 97 %; the others share the rest, which bytes alone would drop.
    const operands: Operands = [q.fill(1), changed(k, (x, i) => x / 8 + (i < shape.d * shape.heads ? 1.2 : 0)), v];
    const found = runAttention(modules.relaxed, shape, operands);
    expect(cosine(found, attentionInDoubles(shape, operands))).toBeGreaterThan(0.9999);
  });

  it("sums the largest shares and values exactly, of as many keys as go by words and of one more", () => {
    for (const tk of [1032, 1033]) {
      // Equal keys: every share is the largest, and so is every value but for its sign.
      const many = { heads: 1, tq: 1, tk, d: 4 };
      const values = Float32Array.from({ length: tk * 4 }, (_, i) =>
        i % 4 === 1 ? -1 : i % 4 === 2 && i < 400 ? -1 : 1,
      );
      const operands: Operands = [new Float32Array(4).fill(1), new Float32Array(tk * 4).fill(1), values];
      const found = runAttention(modules.relaxed, many, operands);
      const expected = attentionInDoubles(many, operands);
      for (const [i, x] of expected.entries()) expect(found[i]).toBeCloseTo(x, 6);
      for (const module of Object.values(modules)) expect(runAttention(module, many, operands, 1)).toEqual(found);
    }
  });

  it("takes scores far below zero, and values of zero", () => {
    const far = changed(k, (x, i) => -40 - x - (i % 3));
    const operands: Operands = [q.fill(1), far, v];
    expect(cosine(runAttention(modules.relaxed, shape, operands), attentionInDoubles(shape, operands))).toBeGreaterThan(
      0.999,
    );
    expect(runAttention(modules.relaxed, shape, [q, k, v.map(() => 0)]).every((x) => x === 0)).toBe(true);
  });
});
