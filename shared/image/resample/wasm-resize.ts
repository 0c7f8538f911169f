import type { RgbImage } from "../rgb-image.ts";
import type { Coefficients } from "./coefficients.ts";
import { FILTERS, Resampling } from "./filters.ts";
import { planResize, resizeRows, type ResizeRows } from "./resize.ts";

/** The exports of resample.wasm (source in ../assembly). All numbers but counts are byte addresses. */
interface Kernels {
  narrow(
    source: number,
    sourceStride: number,
    rows: number,
    first: number,
    groups: number,
    low: number,
    high: number,
    taps: number,
    width: number,
    target: number,
    targetStride: number,
  ): void;
  mix(
    ring: number,
    stride: number,
    slots: number,
    slot: number,
    pairs: number,
    low: number,
    high: number,
    bytes: number,
    target: number,
  ): void;
}

/** Source rows that cross into wasm at once. */
const CHUNK = 16;
/** The module's own constants lie below: the compiler puts them at 1024. */
const BASE = 2048;
const PAGE = 65_536;

/**
 * Memory of a resize beside the picture; a plan that needs more (thousands of source rows in one output row) runs in
 * TypeScript, which reads the picture where it lies.
 */
const MAX_SCRATCH_BYTES = 2 * 1024 * 1024;

const up = (value: number, to: number): number => Math.ceil(value / to) * to;

/**
 * Pillow's resize with SIMD, for the same bits as `resizeRows`. The picture passes through a small memory in chunks of
 * rows, and an output row leaves as soon as it is whole.
 *
 * @param module resample.wasm
 */
export function createWasmResize(module: WebAssembly.Module): ResizeRows {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;

  return (image, options, write) => {
    if (options.resample === Resampling.NEAREST) {
      resizeRows(image, options, write);
      return;
    }
    const plan = planResize(image, options, FILTERS[options.resample]);
    const { columns, rows } = plan;
    if (columns === undefined && rows === undefined) {
      resizeRows(image, options, write);
      return;
    }
    const wideRing = rows !== undefined && (columns === undefined || plan.verticalFirst);
    const layout = new Layout();
    const sourceStride = up(image.width * 3, 16) + 16;
    const outStride = up(options.width * 3, 16) + 16;
    const chunk = layout.take(CHUNK * sourceStride + 16);
    const slots = rows === undefined ? CHUNK : wideRing ? up(rows.taps, 2) : up(rows.taps + CHUNK, CHUNK);
    const ringStride = wideRing ? sourceStride : outStride;
    const ring = layout.take(slots * ringStride + 16);
    const out = layout.take(CHUNK * outStride);
    const columnTable = columns === undefined ? undefined : layout.table(columns, 4);
    const rowTable = rows === undefined ? undefined : layout.table(rows, 2);
    if (layout.end > MAX_SCRATCH_BYTES) {
      resizeRows(image, options, write);
      return;
    }
    const missing = layout.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const heap = new Uint8Array(memory.buffer);
    if (columnTable !== undefined) writeTable(memory, columnTable);
    if (rowTable !== undefined) writeTable(memory, rowTable);

    /** `count` rows from `from` on into the chunk. */
    const load = (from: number, count: number): void => {
      const bytes = image.width * 3;
      for (let i = 0; i < count; i += 1) {
        heap.set(image.data.subarray((from + i) * bytes, (from + i + 1) * bytes), chunk + i * sourceStride);
      }
    };
    /** The chunk, narrowed. */
    const narrow = (count: number, to: number): void => {
      if (columnTable === undefined) return;
      const { first, groups, low, high, taps } = columnTable;
      kernels.narrow(chunk, sourceStride, up(count, 4), first, groups, low, high, taps, options.width, to, outStride);
    };
    const mix = (y: number, slot: number, bytes: number, to: number): void => {
      if (rowTable === undefined) return;
      const at = y * rowTable.taps * 2;
      const pairs = Math.ceil((rowTable.count[y] ?? 0) / 2);
      kernels.mix(ring, ringStride, slots, slot, pairs, rowTable.low + at, rowTable.high + at, up(bytes, 16), to);
    };
    const emit = (y: number, at: number): void => write(heap.subarray(at, at + options.width * 3), y);

    if (rows === undefined) {
      for (let y = 0; y < image.height; y += CHUNK) {
        const count = Math.min(CHUNK, image.height - y);
        load(y, count);
        narrow(count, ring);
        for (let i = 0; i < count; i += 1) emit(y + i, ring + i * ringStride);
      }
    } else if (wideRing) {
      mixWide(image, rows, { heap, ring, ringStride, slots }, (y, slot, waiting) => {
        if (columnTable === undefined) {
          mix(y, slot, image.width * 3, out);
          emit(y, out);
          return;
        }
        mix(y, slot, image.width * 3, chunk + waiting * sourceStride);
        if (waiting + 1 < CHUNK && y + 1 < options.height) return;
        narrow(waiting + 1, out);
        for (let i = 0; i <= waiting; i += 1) emit(y - waiting + i, out + i * outStride);
      });
    } else {
      const start = rows.first[0] ?? 0;
      let next = start;
      for (let y = 0; y < options.height; y += 1) {
        const from = rows.first[y] ?? 0;
        const end = from + (rows.count[y] ?? 0);
        while (next < end) {
          const count = Math.min(CHUNK, image.height - next);
          load(next, count);
          narrow(count, ring + ((next - start) % slots) * ringStride);
          next += count;
        }
        mix(y, (from - start) % slots, options.width * 3, out);
        emit(y, out);
      }
    }
  };
}

/** Fills a ring with whole source rows ahead of each output row. `waiting` counts output rows modulo the chunk. */
function mixWide(
  image: RgbImage,
  rows: Coefficients,
  { heap, ring, ringStride, slots }: { heap: Uint8Array; ring: number; ringStride: number; slots: number },
  mixRow: (y: number, slot: number, waiting: number) => void,
): void {
  const bytes = image.width * 3;
  let next = rows.first[0] ?? 0;
  for (let y = 0; y < rows.first.length; y += 1) {
    const from = rows.first[y] ?? 0;
    for (; next < from + (rows.count[y] ?? 0); next += 1) {
      heap.set(image.data.subarray(next * bytes, (next + 1) * bytes), ring + (next % slots) * ringStride);
    }
    mixRow(y, from % slots, y % CHUNK);
  }
}

/** Weights in memory: every output position's first source (bytes), groups of taps, and the two halves of the weights. */
interface Table {
  readonly coefficients: Coefficients;
  readonly count: Int32Array;
  readonly first: number;
  readonly groups: number;
  readonly low: number;
  readonly high: number;
  /** Weights of one output position, rounded up to a whole group. */
  readonly taps: number;
}

/** Hands out addresses, 16-byte aligned. */
class Layout {
  end = BASE;

  take(bytes: number): number {
    const at = this.end;
    this.end = up(at + bytes, 16);
    return at;
  }

  table(coefficients: Coefficients, group: number): Table {
    const size = coefficients.first.length;
    const taps = up(coefficients.taps, group);
    return {
      coefficients,
      count: coefficients.count,
      first: this.take(size * 4),
      groups: this.take(size * 4),
      low: this.take(size * taps * 2),
      high: this.take(size * taps * 2),
      taps,
    };
  }
}

function writeTable({ buffer }: WebAssembly.Memory, table: Table): void {
  const { first, count, weights, taps } = table.coefficients;
  const firstBytes = new Int32Array(buffer, table.first, first.length);
  const groups = new Int32Array(buffer, table.groups, first.length);
  const low = new Int16Array(buffer, table.low, first.length * table.taps).fill(0);
  const high = new Int16Array(buffer, table.high, first.length * table.taps).fill(0);
  for (let i = 0; i < first.length; i += 1) {
    const used = count[i] ?? 0;
    firstBytes[i] = (first[i] ?? 0) * 3;
    groups[i] = Math.ceil(used / 4);
    for (let k = 0; k < used; k += 1) {
      const weight = weights[i * taps + k] ?? 0;
      low[i * table.taps + k] = weight & 0x7fff;
      high[i * table.taps + k] = weight >> 15;
    }
  }
}
