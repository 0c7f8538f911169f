import { RUST_CLASSES } from "../unicode/rust-classes.data.ts";
import type { RecordWriter } from "../format/writer.ts";

export type RustClass = keyof typeof RUST_CLASSES;

/** Writes a set as `CharSet.read` takes it: only files that need one carry it. */
export function writeRustClass(name: RustClass, record: RecordWriter): void {
  record.list(rustClassRanges(name), (value, r) => r.u32(value));
}

export function rustClassRanges(name: RustClass): number[] {
  const bytes = Uint8Array.from(atob(RUST_CLASSES[name]), (c) => c.charCodeAt(0));
  const ranges: number[] = [];
  let last = 0;
  for (let i = 0; i < bytes.length;) {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[i++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) break;
      shift += 7;
    }
    last += value;
    ranges.push(last);
  }
  return ranges;
}
