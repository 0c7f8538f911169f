import { activate } from "./activation";
import { tile16, tile32, tile7 } from "./tile";

/** Bytes of packed rows that stay in the second-level cache while all weights pass by once. */
const ROW_BLOCK_BYTES: i32 = 192 * 1024;

/** How the finished tile [4, 8] becomes output: kept out of the products so that they stay the same for all epilogues. */
function finish(
  tile: usize, kind: i32, rows: i32, columns: i32, scales: usize, corrections: usize, columnScales: usize, bias: usize,
  activation: i32, residual: usize, out: usize, stride: usize,
): void {
  for (let row = 0; row < rows; row++) {
    for (let half: usize = 0; half < 32 && <i32>(half >> 2) < columns; half += 16) {
      let v = v128.load(tile + (<usize>row << 5) + half);
      if (kind != 2) {
        if (kind == 0) v = i32x4.add(v, v128.load_splat<u32>(corrections + (<usize>row << 2)));
        v = f32x4.mul(f32x4.convert_i32x4_s(v), v128.load(columnScales + half));
        v = f32x4.mul(v, v128.load_splat<u32>(scales + (<usize>row << 2)));
      }
      v = f32x4.add(v, v128.load(bias + half));
      if (activation) v = activate(v, activation);
      const at = <usize>row * stride + half;
      if (<i32>(half >> 2) + 4 <= columns) {
        if (residual) v = f32x4.add(v, v128.load(residual + at));
        v128.store(out + at, v);
      } else {
        // The last columns of a width that is no multiple of 4: never a store past the row.
        v128.store(tile, v);
        for (let column: usize = 0; column < <usize>columns - (half >> 2); column++) {
          let x = load<f32>(tile + (column << 2));
          if (residual) x += load<f32>(residual + at + (column << 2));
          store<f32>(out + at + (column << 2), x);
        }
      }
    }
  }
}

/**
 * out f32 [rows, n] = activation(left x right + bias) + residual.
 * kind 0: i8 x u7, kind 1: i16 x i8, kind 2: f32 x f32. `tile` is 128 bytes of scratch.
 * Rows go in blocks that fit the cache; within a block each panel of 8 columns meets all rows while it is in the first level.
 */
export function linear(
  kind: i32, out: usize, left: usize, scales: usize, corrections: usize, right: usize, columnScales: usize, bias: usize,
  residual: usize, rows: i32, k: i32, n: i32, activation: i32, tile: usize,
): void {
  const leftBytes = kind == 0 ? 1 : kind == 1 ? 2 : 4;
  const rightBytes = kind == 2 ? 4 : 1;
  const tileBytes = k * 4 * leftBytes;
  const block = max(1, ROW_BLOCK_BYTES / tileBytes) * 4;
  const stride = (<usize>n) << 2;
  for (let first = 0; first < rows; first += block) {
    const last = min(rows, first + block);
    for (let column = 0; column < n; column += 8) {
      const panel = right + <usize>column * <usize>k * <usize>rightBytes;
      for (let row = first; row < last; row += 4) {
        const packed = left + <usize>(row >> 2) * <usize>tileBytes;
        if (kind == 0) tile7(packed, panel, k, tile);
        else if (kind == 1) tile16(packed, panel, k, tile);
        else tile32(packed, panel, k, tile);
        const at = <usize>row * stride + (<usize>column << 2);
        finish(
          tile, kind, min(4, rows - row), min(8, n - column), scales + (<usize>row << 2), corrections + (<usize>row << 2),
          columnScales + (<usize>column << 2), bias + (<usize>column << 2), activation, residual ? residual + at : 0,
          out + at, stride,
        );
      }
    }
  }
}
