import { describe, expect, it } from "vitest";
import { cosine } from "./compile/calibrate.ts";
import { packWeights } from "./compile/pack.ts";
import plainModule from "./encoder-plain.wasm";
import relaxedModule from "./encoder.wasm";
import { fill, KernelBench, random } from "./kernels.testing.ts";
import { leftRows, limit16, TILE_BYTES } from "./program/sizes.ts";

const modules = { relaxed: relaxedModule, plain: plainModule };

interface LinearCase {
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly activation: number;
}

function runLinear(module: WebAssembly.Module, kind: 0 | 1 | 2, { rows, k, n, activation }: LinearCase, pairs = false) {
  const next = random(rows * 7919 + k * 31 + n);
  const [x, w, bias, residual] = [fill(rows * k, next), fill(k * n, next), fill(n, next), fill(rows * n, next)];
  const bench = new KernelBench(module);
  bench.kernels.usePairs(Number(pairs));
  const packed = packWeights(kind, w, bias, k, n);
  const [from, right, columnScales, biasAt] = [
    bench.floats(x),
    bench.bytes(packed.right),
    bench.floats(packed.scales),
    bench.floats(packed.bias),
  ];
  const padded = leftRows(kind, rows);
  const [left, scales, corrections, tile] = [
    bench.place(padded * k * 4),
    bench.place(padded * 4),
    bench.place(padded * 4),
    bench.place(TILE_BYTES),
  ];
  // A product is followed by an activation or by a residual, never by both.
  const residualAt = activation === 0 ? bench.floats(residual) : 0;
  const out = bench.place(rows * n * 4 + 64);
  if (kind === 0) bench.kernels.quantize8(left, scales, corrections, from, rows, k);
  else if (kind === 1) bench.kernels.quantize16(left, scales, from, rows, k, limit16(k));
  else bench.kernels.pack32(left, from, rows, k);
  bench.kernels.linear(
    kind,
    out,
    left,
    scales,
    corrections,
    right,
    columnScales,
    biasAt,
    residualAt,
    rows,
    k,
    n,
    activation,
    tile,
  );
  const expected = new Float64Array(rows * n);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < n; c++) {
      let sum = bias[c] ?? NaN;
      for (let i = 0; i < k; i++) sum += (x[r * k + i] ?? NaN) * (w[i * n + c] ?? NaN);
      expected[r * n + c] =
        activation === 0 ? sum + (residual[r * n + c] ?? NaN) : (sum / 2) * (1 + erf(sum / Math.SQRT2));
    }
  }
  const past = bench.bytesAt(out + rows * n * 4, 64);
  return { got: bench.read(out, rows * n), expected, past };
}

/** Series of erf, to double precision for |z| < 4. */
function erf(z: number): number {
  if (Math.abs(z) > 4) return Math.sign(z);
  let [term, sum] = [z, z];
  for (let n = 1; n < 120; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const cases: LinearCase[] = [
  { rows: 1, k: 4, n: 1, activation: 0 },
  { rows: 7, k: 64, n: 60, activation: 1 },
  { rows: 197, k: 128, n: 24, activation: 0 },
  { rows: 300, k: 1024, n: 17, activation: 1 },
  { rows: 402, k: 512, n: 18, activation: 0 },
];

describe("linear", () => {
  for (const [kind, least] of [
    [0, 0.9985],
    [1, 0.99995],
    [2, 0.9999999],
  ] as const) {
    for (const shape of cases) {
      it(`kind ${kind}: [${shape.rows}, ${shape.k}] x [${shape.k}, ${shape.n}] follows the product in doubles`, () => {
        const { got, expected, past } = runLinear(modules.relaxed, kind, shape);
        expect(cosine(got, expected)).toBeGreaterThan(shape.k === 4 ? 0.99 : least);
        expect(past.every((byte) => byte === 0xff)).toBe(true);
      });

      it(`kind ${kind}: [${shape.rows}, ${shape.k}, ${shape.n}] has the same bits without relaxed SIMD`, () => {
        expect(runLinear(modules.plain, kind, shape).got).toEqual(runLinear(modules.relaxed, kind, shape).got);
      });
    }
  }

  for (const shape of cases) {
    it(`[${shape.rows}, ${shape.k}, ${shape.n}] by pairs has the same bits as by one instruction`, () => {
      const whole = runLinear(modules.relaxed, 0, shape).got;
      for (const module of Object.values(modules)) expect(runLinear(module, 0, shape, true).got).toEqual(whole);
    });
  }

  it("sums extreme operands exactly: no intermediate saturates", () => {
    for (const module of Object.values(modules)) {
      const bench = new KernelBench(module);
      const k = 4096;
      // Every activation -127 of 127, every weight the largest of its column.
      const packed = packWeights(0, new Float32Array(k * 8).fill(63), new Float32Array(8), k, 8);
      const from = bench.floats(new Float32Array(k).fill(-127));
      const right = bench.bytes(packed.right);
      const [columnScales, bias] = [bench.floats(packed.scales), bench.floats(packed.bias)];
      const [left, scales, corrections, tile, out] = [leftRows(0, 1) * k, 24, 24, TILE_BYTES, 32].map((bytes) =>
        bench.place(bytes),
      ) as [number, number, number, number, number];
      for (const pairs of [0, 1]) {
        bench.kernels.usePairs(pairs);
        bench.kernels.quantize8(left, scales, corrections, from, 1, k);
        bench.kernels.linear(0, out, left, scales, corrections, right, columnScales, bias, 0, 1, k, 8, 0, tile);
        expect([...bench.read(out, 8)]).toEqual(Array.from({ length: 8 }, () => -127 * 63 * k));
      }
    }
  });
});

describe("activations", () => {
  const xs = Float32Array.from({ length: 2048 }, (_, i) => (i - 1024) / 64);
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const reference: Record<string, (x: number) => number> = {
    1: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
    2: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    3: (x) => x * sigmoid(1.702 * x),
    4: (x) => x * sigmoid(x),
    5: (x) => Math.max(x, 0),
    6: Math.tanh,
    7: sigmoid,
  };
  for (const [kind, f] of Object.entries(reference)) {
    // Both GELUs are fits to 6e-6, far below what eight bits of their result tell apart.
    const bound = kind === "1" || kind === "2" ? 6e-6 : 3e-6;
    it(`kind ${kind} is within ${bound} of the definition on [-16, 16]`, () => {
      const bench = new KernelBench(modules.relaxed);
      const [from, out] = [bench.floats(xs), bench.place(xs.length * 4)];
      bench.kernels.map(out, from, xs.length, 1, 0, Number(kind));
      const got = bench.read(out, xs.length);
      const worst = Math.max(...xs.map((x, i) => Math.abs((got[i] ?? NaN) - f(x)) / Math.max(1, Math.abs(x))));
      expect(worst).toBeLessThan(bound);
    });
  }
});

describe("layerNorm, combine, mean, copy", () => {
  it("normalises rows", () => {
    const bench = new KernelBench(modules.relaxed);
    const x = fill(3 * 64, random(5));
    const [from, gamma, beta] = [bench.floats(x), bench.floats(fill(64, random(6))), bench.floats(fill(64, random(7)))];
    const out = bench.place(3 * 64 * 4);
    bench.kernels.layerNorm(out, from, gamma, beta, 3, 64, 1e-6);
    const got = bench.read(out, 3 * 64);
    for (let row = 0; row < 3; row++) {
      const values = x.subarray(row * 64, row * 64 + 64);
      const mean = values.reduce((a, b) => a + b, 0) / 64;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 64;
      for (let i = 0; i < 64; i++) {
        const normal = ((values[i] ?? NaN) - mean) / Math.sqrt(variance + 1e-6);
        const expected = normal * (bench.read(gamma, 64)[i] ?? NaN) + (bench.read(beta, 64)[i] ?? NaN);
        expect(got[row * 64 + i]).toBeCloseTo(expected, 5);
      }
    }
  });

  it("adds and multiplies with a repeated operand, averages rows, moves with strides", () => {
    const bench = new KernelBench(modules.relaxed);
    const [a, b] = [bench.floats([1, 2, 3, 4, 5, 6, 7, 8]), bench.floats([10, 20, 30, 40])];
    const out = bench.place(64);
    bench.kernels.combine(out, a, b, 8, 4, 0);
    expect([...bench.read(out, 8)]).toEqual([11, 22, 33, 44, 15, 26, 37, 48]);
    bench.kernels.combine(out, a, b, 8, 4, 1);
    expect([...bench.read(out, 8)]).toEqual([10, 40, 90, 160, 50, 120, 210, 320]);
    bench.kernels.mean(out, a, 1, 2, 4);
    expect([...bench.read(out, 4)]).toEqual([3, 4, 5, 6]);
    bench.kernels.mean(out, b, 1, 1, 4);
    expect([...bench.read(out, 4)]).toEqual([10, 20, 30, 40]);
    bench.kernels.copy(out, a, 1, 1, 1, 4, 2, 0, 0, 0, 8, 4, 0, 0, 0, 4, 16);
    expect([...bench.read(out, 8)]).toEqual([1, 5, 2, 6, 3, 7, 4, 8]);
  });
});
