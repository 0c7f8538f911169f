import type { RgbImage } from "../rgb-image.ts";
import type { WriteRow } from "../resample/resize.ts";

/** Where the first row and column of a picture stand in a frame; negative where the frame cuts them off. */
export interface Offset {
  readonly left: number;
  readonly top: number;
}

/** A grid of frames `[3, height, width]`, `columns` a row, one after the other from `at` on. */
export interface Tiles {
  readonly into: Uint8Array;
  readonly at: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
}

/**
 * Writes rows of RGB as planar tiles: what a resize hands over goes straight to its place in `pixel_values`. Rows and
 * columns beyond the grid are dropped.
 */
export function tileWriter(tiles: Tiles, { left, top }: Offset): WriteRow {
  const { into, at, width, height, columns, rows } = tiles;
  const plane = width * height;
  return (row, y) => {
    const gridY = y + top;
    if (gridY < 0 || gridY >= rows * height) return;
    const tileRow = Math.trunc(gridY / height);
    const first = Math.max(0, -left);
    const last = Math.min(row.length / 3, columns * width - left);
    for (let x = first; x < last;) {
      const column = Math.trunc((x + left) / width);
      const inTile = x + left - column * width;
      const end = Math.min(last, x + width - inTile);
      let to = at + (tileRow * columns + column) * 3 * plane + (gridY % height) * width + inTile;
      for (let from = x * 3; from < end * 3; from += 3, to += 1) {
        into[to] = row[from] ?? 0;
        into[to + plane] = row[from + 1] ?? 0;
        into[to + 2 * plane] = row[from + 2] ?? 0;
      }
      x = end;
    }
  };
}

/** Flat patches `[patches, 3, temporal, side, side]`, in blocks of `merge` x `merge`, from `at` on. */
export interface Patches {
  readonly into: Uint8Array;
  readonly at: number;
  /** Patches in a row of the picture. */
  readonly columns: number;
  readonly side: number;
  readonly merge: number;
  readonly temporal: number;
}

/**
 * Writes rows of RGB as flat patches, one pass from resized rows to the input of a matrix product. The picture stands
 * for all frames of a patch.
 */
export function patchWriter({ into, at, columns, side, merge, temporal }: Patches, { left, top }: Offset): WriteRow {
  const plane = side * side;
  const patch = 3 * temporal * plane;
  return (row, y) => {
    const gridY = y + top;
    const patchRow = Math.floor(gridY / side);
    const blockRow = Math.trunc(patchRow / merge) * columns * merge + (patchRow % merge) * merge;
    const first = Math.max(0, -left);
    const last = Math.min(row.length / 3, columns * side - left);
    for (let x = first; x < last;) {
      const column = Math.trunc((x + left) / side);
      const inPatch = x + left - column * side;
      const end = Math.min(last, x + side - inPatch);
      const index = blockRow + Math.trunc(column / merge) * merge * merge + (column % merge);
      let to = at + index * patch + (gridY % side) * side + inPatch;
      for (let from = x * 3; from < end * 3; from += 3, to += 1) {
        for (let c = 0; c < 3; c += 1) {
          const sample = row[from + c] ?? 0;
          for (let t = 0; t < temporal; t += 1) into[to + (c * temporal + t) * plane] = sample;
        }
      }
      x = end;
    }
  };
}

/** Hands a picture over row by row, as a resize does. */
export function eachRow({ data, width, height }: RgbImage, write: WriteRow): void {
  for (let y = 0; y < height; y += 1) write(data.subarray(y * width * 3, (y + 1) * width * 3), y);
}
