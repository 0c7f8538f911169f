import { activate } from "./activation";
import { total } from "./quantize";

/** f32 [rows, columns] (columns a multiple of 4): (x - mean) / sqrt(variance + eps) x gamma + beta, in two passes. */
export function layerNorm(
  out: usize, from: usize, gamma: usize, beta: usize, rows: i32, columns: i32, eps: f32,
): void {
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < rows; row++) {
    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) sum = f32x4.add(sum, v128.load(from + at));
    const mean = f32x4.splat(total(sum) / <f32>columns);
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const centred = f32x4.sub(v128.load(from + at), mean);
      squares = f32x4.add(squares, f32x4.mul(centred, centred));
    }
    const inverse = f32x4.splat(<f32>1 / sqrt<f32>(total(squares) / <f32>columns + eps));
    for (let at: usize = 0; at < bytes; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(from + at), mean), inverse);
      v128.store(out + at, f32x4.add(f32x4.mul(normal, v128.load(gamma + at)), v128.load(beta + at)));
    }
    from += bytes;
    out += bytes;
  }
}

/** out[i] = a[i] + b[i % period], or the product; `count` and `period` are multiples of 4, `period` divides `count`. */
export function combine(out: usize, a: usize, b: usize, count: i32, period: i32, multiply: i32): void {
  const bytes = (<usize>count) << 2;
  const wrap = (<usize>period) << 2;
  for (let base: usize = 0; base < bytes; base += wrap) {
    for (let at: usize = 0; at < wrap; at += 16) {
      const x = v128.load(a + base + at);
      const y = v128.load(b + at);
      v128.store(out + base + at, multiply ? f32x4.mul(x, y) : f32x4.add(x, y));
    }
  }
}

/** out = activation(x * scale + shift), `count` a multiple of 4. */
export function map(out: usize, from: usize, count: i32, scale: f32, shift: f32, activation: i32): void {
  const bytes = (<usize>count) << 2;
  const times = f32x4.splat(scale);
  const plus = f32x4.splat(shift);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(out + at, f32x4.add(f32x4.mul(v128.load(from + at), times), plus));
  }
  activate(out, count, activation);
}

/** f32 [groups, rows, columns] -> mean over the rows, [groups, columns], in the order of the rows. */
export function mean(out: usize, from: usize, groups: i32, rows: i32, columns: i32): void {
  const bytes = (<usize>columns) << 2;
  const count = f32x4.splat(<f32>rows);
  for (let group = 0; group < groups; group++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      let sum = f32x4.splat(0);
      for (let row = 0; row < rows; row++) sum = f32x4.add(sum, v128.load(from + at + <usize>row * bytes));
      v128.store(out + at, f32x4.div(sum, count));
    }
    from += <usize>rows * bytes;
    out += bytes;
  }
}

/** Five nested loops of 4-byte moves, strides in bytes: im2col, transposes, pixel shuffle, concatenation. */
export function copy(
  out: usize, from: usize, n0: i32, n1: i32, n2: i32, n3: i32, n4: i32, o0: i32, o1: i32, o2: i32, o3: i32, o4: i32,
  f0: i32, f1: i32, f2: i32, f3: i32, f4: i32,
): void {
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        for (let i3 = 0; i3 < n3; i3++) {
          let to = out + i0 * o0 + i1 * o1 + i2 * o2 + i3 * o3;
          let at = from + i0 * f0 + i1 * f1 + i2 * f2 + i3 * f3;
          if (o4 == 4 && f4 == 4) {
            memory.copy(to, at, (<usize>n4) << 2);
          } else {
            for (let i4 = 0; i4 < n4; i4++) {
              store<u32>(to, load<u32>(at));
              to += o4;
              at += f4;
            }
          }
        }
      }
    }
  }
}
