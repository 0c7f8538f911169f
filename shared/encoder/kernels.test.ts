import { describe, expect, it } from "vitest";
import relaxedModule from "./encoder.wasm";
import plainModule from "./encoder-plain.wasm";
import { instantiate, type Kernels } from "./kernels.ts";
import { packWeights } from "./compile/pack.ts";

const MEMORY_PAGES = 64;
const modules = { relaxed: relaxedModule, plain: plainModule };

/** A small generator with a seed, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

class Bench {
  readonly memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  readonly kernels: Kernels;
  #next = 1024;

  constructor(module: WebAssembly.Module) {
    // Whatever an operation forgets to write shows as NaN.
    new Uint8Array(this.memory.buffer).fill(0xff);
    this.kernels = instantiate(module, this.memory);
  }

  place(bytes: number): number {
    const at = this.#next;
    this.#next += (bytes + 15) & ~15;
    return at;
  }

  floats(values: ArrayLike<number>): number {
    const at = this.place(values.length * 4);
    new Float32Array(this.memory.buffer, at, values.length).set(values);
    return at;
  }

  bytes(values: Uint8Array): number {
    const at = this.place(values.length);
    new Uint8Array(this.memory.buffer).set(values, at);
    return at;
  }

  read(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count).slice();
  }
}

function fill(count: number, next: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => next());
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

interface LinearCase {
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly activation: number;
}

function runLinear(module: WebAssembly.Module, kind: 0 | 1 | 2, { rows, k, n, activation }: LinearCase, split = false) {
  const next = random(rows * 7919 + k * 31 + n);
  const [x, w, bias, residual] = [fill(rows * k, next), fill(k * n, next), fill(n, next), fill(rows * n, next)];
  const bench = new Bench(module);
  const packed = packWeights(kind, w, bias, k, n);
  const [from, right, columnScales, biasAt] = [
    bench.floats(x),
    bench.bytes(packed.right),
    bench.floats(packed.scales),
    bench.floats(packed.bias),
  ];
  const padded = (rows + 3) & ~3;
  const [left, scales, corrections, tile] = [
    bench.place(padded * k * 4),
    bench.place(padded * 4),
    bench.place(padded * 4),
    bench.place(128),
  ];
  // A product is followed by an activation or by a residual, never by both.
  const residualAt = activation === 0 ? bench.floats(residual) : 0;
  const out = bench.place(rows * n * 4 + 64);
  if (kind === 0) bench.kernels.quantize8(left, scales, corrections, from, rows, k);
  else if (kind === 1)
    bench.kernels.quantize16(left, scales, from, rows, k, Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * k))));
  else bench.kernels.pack32(left, from, rows, k);
  bench.kernels.linear(
    split ? 3 : kind,
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
  const past = new Uint8Array(bench.memory.buffer, out + rows * n * 4, 64).slice();
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
      const bench = new Bench(module);
      const k = 4096;
      // Every activation -127 of 127, every weight the largest of its column.
      const packed = packWeights(0, new Float32Array(k * 8).fill(63), new Float32Array(8), k, 8);
      const from = bench.floats(new Float32Array(k).fill(-127));
      const right = bench.bytes(packed.right);
      const [columnScales, bias] = [bench.floats(packed.scales), bench.floats(packed.bias)];
      const [left, scales, corrections, tile, out] = [4 * k, 16, 16, 128, 32].map((bytes) => bench.place(bytes)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      bench.kernels.quantize8(left, scales, corrections, from, 1, k);
      for (const kind of [0, 3]) {
        bench.kernels.linear(kind, out, left, scales, corrections, right, columnScales, bias, 0, 1, k, 8, 0, tile);
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
    it(`kind ${kind} is within 2e-6 of the definition on [-16, 16]`, () => {
      const bench = new Bench(modules.relaxed);
      const [from, out] = [bench.floats(xs), bench.place(xs.length * 4)];
      bench.kernels.map(out, from, xs.length, 1, 0, Number(kind));
      const got = bench.read(out, xs.length);
      const worst = Math.max(...xs.map((x, i) => Math.abs((got[i] ?? NaN) - f(x)) / Math.max(1, Math.abs(x))));
      expect(worst).toBeLessThan(2e-6);
    });
  }
});

describe("attention", () => {
  for (const [heads, tq, tk, d] of [
    [3, 5, 5, 16],
    [2, 37, 37, 64],
    [1, 1, 50, 12],
    [2, 9, 130, 72],
  ] as const) {
    it(`${heads} heads, [${tq}, ${tk}], width ${d}: cosine to the definition, equal bits on both builds`, () => {
      const next = random(tq * tk + d);
      const width = heads * d;
      const [q, k, v] = [fill(tq * width, next), fill(tk * width, next), fill(tk * width, next)];
      const results = Object.values(modules).map((module) => {
        const bench = new Bench(module);
        const [qAt, kAt, vAt] = [bench.floats(q), bench.floats(k), bench.floats(v)];
        const [out, scratch] = [bench.place(tq * width * 4), bench.place(1 << 20)];
        bench.kernels.attention(
          out,
          d * 4,
          width * 4,
          qAt,
          d * 4,
          width * 4,
          kAt,
          d * 4,
          width * 4,
          vAt,
          d * 4,
          width * 4,
          heads,
          tq,
          tk,
          d,
          1 / Math.sqrt(d),
          scratch,
        );
        return bench.read(out, tq * width);
      });
      expect(results[1]).toEqual(results[0]);
      const at = (m: Float32Array, row: number, head: number, i: number): number =>
        m[row * width + head * d + i] ?? NaN;
      const expected = new Float64Array(tq * width);
      for (let h = 0; h < heads; h++) {
        for (let r = 0; r < tq; r++) {
          const scores = Array.from({ length: tk }, (_, t) => {
            let dot = 0;
            for (let i = 0; i < d; i++) dot += at(q, r, h, i) * at(k, t, h, i);
            return Math.exp(dot / Math.sqrt(d));
          });
          const sum = scores.reduce((a, b) => a + b, 0);
          for (let i = 0; i < d; i++) {
            expected[r * width + h * d + i] = scores.reduce((a, p, t) => a + (p / sum) * at(v, t, h, i), 0);
          }
        }
      }
      expect(cosine(results[0] ?? [], expected)).toBeGreaterThan(0.99999);
    });
  }
});

describe("layerNorm, combine, mean, copy", () => {
  it("normalises rows", () => {
    const bench = new Bench(modules.relaxed);
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
    const bench = new Bench(modules.relaxed);
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
