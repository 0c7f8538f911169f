import { activate } from "./activation";
import { byteRows, tile16, tile32, tile7 } from "./tile";

/** Bytes of packed rows that stay in the second-level cache while all weights pass by once. */
const ROW_BLOCK_BYTES: i32 = 192 * 1024;

/**
 * The finished tile [rows, 8]: sums to floats, in place, with scales and bias. `kind` as in `linear`; floats have neither scales nor
 * corrections.
 */
function scale(
  tile: usize, kind: i32, rows: i32, scales: usize, corrections: usize, columnScales: usize, bias: usize,
): void {
  const bias0 = v128.load(bias), bias1 = v128.load(bias, 16);
  const end = tile + ((<usize>rows) << 5);
  if (kind == 2) {
    for (; tile < end; tile += 32) {
      v128.store(tile, f32x4.add(v128.load(tile), bias0));
      v128.store(tile, f32x4.add(v128.load(tile, 16), bias1), 16);
    }
    return;
  }
  const scale0 = v128.load(columnScales), scale1 = v128.load(columnScales, 16);
  let correction = i32x4.splat(0);
  for (; tile < end; tile += 32) {
    if (kind == 0) {
      correction = v128.load_splat<u32>(corrections);
      corrections += 4;
    }
    const rowScale = v128.load_splat<u32>(scales);
    scales += 4;
    const left = f32x4.convert_i32x4_s(i32x4.add(v128.load(tile), correction));
    const right = f32x4.convert_i32x4_s(i32x4.add(v128.load(tile, 16), correction));
    v128.store(tile, f32x4.add(f32x4.mul(f32x4.mul(left, scale0), rowScale), bias0));
    v128.store(tile, f32x4.add(f32x4.mul(f32x4.mul(right, scale1), rowScale), bias1), 16);
  }
}

/** A whole row of the tile at a time. */
function put(tile: usize, rows: i32, residual: usize, out: usize, stride: usize): void {
  const end = tile + ((<usize>rows) << 5);
  for (; tile < end; tile += 32) {
    let left = v128.load(tile), right = v128.load(tile, 16);
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

/** At the right edge: never a store past a row. */
function putEdge(tile: usize, rows: i32, columns: i32, residual: usize, out: usize, stride: usize): void {
  for (let row: usize = 0; row < <usize>rows; row++) {
    const at = row * stride;
    for (let column: usize = 0; column < (<usize>columns) << 2; column += 4) {
      let x = load<f32>(tile + (row << 5) + column);
      if (residual) x += load<f32>(residual + at + column);
      store<f32>(out + at + column, x);
    }
  }
}

/**
 * out f32 [rows, n] = left x right + bias, then either + residual or activation.
 * kind 0: i8 x u7, kind 1: i16 x i8, kind 2: f32 x f32. `tile` is 192 bytes of scratch.
 * Rows go in blocks that fit the cache; within a block each panel of 8 columns meets all rows while it is in the first level.
 */
export function linear(
  kind: i32, out: usize, left: usize, scales: usize, corrections: usize, right: usize, columnScales: usize, bias: usize,
  residual: usize, rows: i32, k: i32, n: i32, activation: i32, tile: usize,
): void {
  const tileRows = kind == 0 ? byteRows() : 4;
  const leftBytes = kind == 1 ? 2 : kind == 2 ? 4 : 1;
  const rightBytes = kind == 2 ? 4 : 1;
  const tileBytes = k * tileRows * leftBytes;
  const block = max(1, ROW_BLOCK_BYTES / tileBytes) * tileRows;
  const stride = (<usize>n) << 2;
  for (let first = 0; first < rows; first += block) {
    const last = min(rows, first + block);
    let packedBlock = left + <usize>(first / tileRows) * <usize>tileBytes;
    for (let column = 0; column < n; column += 8) {
      const panel = right + <usize>column * <usize>k * <usize>rightBytes;
      const skip = <usize>column << 2;
      let packed = packedBlock;
      for (let row = first; row < last; row += tileRows) {
        if (kind == 0) tile7(packed, panel, k, tile);
        else if (kind == 1) tile16(packed, panel, k, tile);
        else tile32(packed, panel, k, tile);
        packed += <usize>tileBytes;
        const count = min(tileRows, rows - row);
        const at = <usize>row * stride + skip;
        const plus = residual ? residual + at : 0;
        const rowAt = <usize>row << 2;
        scale(tile, kind, count, scales + rowAt, corrections + rowAt, columnScales + skip, bias + skip);
        if (activation) activate(tile, count << 3, activation);
        if (column + 8 <= n) put(tile, count, plus, out + at, stride);
        else putEdge(tile, count, n - column, plus, out + at, stride);
      }
    }
  }
}
