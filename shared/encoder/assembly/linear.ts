import { activate } from "./activation";
import { tile16, tile32, tile7, tile7Split } from "./tile";

/** Bytes of packed rows that stay in the second-level cache while all weights pass by once. */
const ROW_BLOCK_BYTES: i32 = 192 * 1024;

/** Row `row` and half of the finished tile as floats, with scales and bias. */
// @ts-ignore: decorator
@inline
function finished(
  tile: usize, kind: i32, row: usize, half: usize, scales: usize, corrections: usize, columnScales: usize, bias: usize,
): v128 {
  let v = v128.load(tile + (row << 5) + half);
  if (kind != 2) {
    if (kind == 0 || kind == 3) v = i32x4.add(v, v128.load_splat<u32>(corrections + (row << 2)));
    v = f32x4.mul(f32x4.convert_i32x4_s(v), v128.load(columnScales + half));
    v = f32x4.mul(v, v128.load_splat<u32>(scales + (row << 2)));
  }
  return f32x4.add(v, v128.load(bias + half));
}

/** A tile at the right or lower edge: never a store past a row or the last row. */
function finishEdge(
  tile: usize, kind: i32, rows: i32, columns: i32, scales: usize, corrections: usize, columnScales: usize, bias: usize,
  residual: usize, out: usize, stride: usize,
): void {
  for (let row: usize = 0; row < <usize>rows; row++) {
    const at = row * stride;
    // Both halves before the tile's first row, which is scratch from here on, is written over.
    const left = finished(tile, kind, row, 0, scales, corrections, columnScales, bias);
    const right = finished(tile, kind, row, 16, scales, corrections, columnScales, bias);
    v128.store(tile, left);
    v128.store(tile, right, 16);
    for (let column: usize = 0; column < <usize>columns; column++) {
      let x = load<f32>(tile + (column << 2));
      if (residual) x += load<f32>(residual + at + (column << 2));
      store<f32>(out + at + (column << 2), x);
    }
  }
}

/** A whole tile. */
function finish(
  tile: usize, kind: i32, scales: usize, corrections: usize, columnScales: usize, bias: usize, residual: usize, out: usize,
  stride: usize,
): void {
  for (let row: usize = 0; row < 4; row++) {
    let left = finished(tile, kind, row, 0, scales, corrections, columnScales, bias);
    let right = finished(tile, kind, row, 16, scales, corrections, columnScales, bias);
    if (residual) {
      left = f32x4.add(left, v128.load(residual));
      right = f32x4.add(right, v128.load(residual, 16));
      residual += stride;
    }
    v128.store(out, left);
    v128.store(out, right, 16);
    out += stride;
  }
}

/**
 * out f32 [rows, n] = left x right + bias, then either + residual or activation.
 * kind 0: i8 x u7, kind 1: i16 x i8, kind 2: f32 x f32, kind 3: as 0 by tile7Split. `tile` is 128 bytes of scratch.
 * Rows go in blocks that fit the cache; within a block each panel of 8 columns meets all rows while it is in the first level.
 */
export function linear(
  kind: i32, out: usize, left: usize, scales: usize, corrections: usize, right: usize, columnScales: usize, bias: usize,
  residual: usize, rows: i32, k: i32, n: i32, activation: i32, tile: usize,
): void {
  const leftBytes = kind == 1 ? 2 : kind == 2 ? 4 : 1;
  const rightBytes = kind == 2 ? 4 : 1;
  const tileBytes = k * 4 * leftBytes;
  const block = max(1, ROW_BLOCK_BYTES / tileBytes) * 4;
  const stride = (<usize>n) << 2;
  for (let first = 0; first < rows; first += block) {
    const last = min(rows, first + block);
    for (let column = 0; column < n; column += 8) {
      const panel = right + <usize>column * <usize>k * <usize>rightBytes;
      const skip = <usize>column << 2;
      for (let row = first; row < last; row += 4) {
        const packed = left + <usize>(row >> 2) * <usize>tileBytes;
        if (kind == 0) tile7(packed, panel, k, tile);
        else if (kind == 1) tile16(packed, panel, k, tile);
        else if (kind == 2) tile32(packed, panel, k, tile);
        else tile7Split(packed, panel, k, tile);
        const at = <usize>row * stride + skip;
        const to = out + at;
        const plus = residual ? residual + at : 0;
        const rowScales = scales + (<usize>row << 2);
        const rowCorrections = corrections + (<usize>row << 2);
        if (row + 4 <= rows && column + 8 <= n) {
          finish(tile, kind, rowScales, rowCorrections, columnScales + skip, bias + skip, plus, to, stride);
        } else {
          finishEdge(
            tile, kind, min(4, rows - row), min(8, n - column), rowScales, rowCorrections, columnScales + skip, bias + skip,
            plus, to, stride,
          );
        }
      }
    }
    if (activation) activate(out + <usize>first * stride, (last - first) * n, activation);
  }
}
