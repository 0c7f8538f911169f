/** The exports of encoder.wasm (source in assembly/). Numbers are byte addresses unless the name says otherwise. */
export interface Kernels {
  hasDot7(): number;
  usePairs(value: number): void;
  quantize8(out: number, scales: number, corrections: number, from: number, rows: number, columns: number): void;
  quantize16(out: number, scales: number, from: number, rows: number, columns: number, limit: number): void;
  pack32(out: number, from: number, rows: number, columns: number): void;
  linear(
    kind: number,
    out: number,
    left: number,
    scales: number,
    corrections: number,
    right: number,
    columnScales: number,
    bias: number,
    residual: number,
    rows: number,
    k: number,
    n: number,
    activation: number,
    tile: number,
  ): void;
  attention(
    out: number,
    outHead: number,
    outRow: number,
    q: number,
    qHead: number,
    qRow: number,
    k: number,
    kHead: number,
    kRow: number,
    v: number,
    vHead: number,
    vRow: number,
    heads: number,
    tq: number,
    tk: number,
    d: number,
    scale: number,
    scratch: number,
  ): void;
  layerNorm(out: number, from: number, gamma: number, beta: number, rows: number, columns: number, eps: number): void;
  combine(out: number, a: number, b: number, count: number, period: number, multiply: number): void;
  map(out: number, from: number, count: number, scale: number, shift: number, activation: number): void;
  mean(out: number, from: number, groups: number, rows: number, columns: number): void;
  copy(out: number, from: number, ...dimsAndStrides: number[]): void;
}

/** A module over the caller's memory. The only imports of the module are that memory; it has no start function. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
