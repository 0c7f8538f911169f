import { ENTRY_BYTES, FORMAT_VERSION, HEADER_BYTES, MAGIC, type SectionId } from "./layout.ts";

const encoder = new TextEncoder();

/** Values of a small record, in the order in which `RecordReader` takes them back. */
export class RecordWriter {
  readonly #bytes: number[] = [];
  readonly #scratch = new DataView(new ArrayBuffer(8));

  u8(value: number): this {
    this.#bytes.push(value);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  u32(value: number): this {
    this.#scratch.setUint32(0, value, true);
    return this.#push(4);
  }

  f64(value: number): this {
    this.#scratch.setFloat64(0, value, true);
    return this.#push(8);
  }

  string(value: string): this {
    const bytes = encoder.encode(value);
    this.u32(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  list<T>(values: readonly T[], write: (value: T, writer: this) => void): this {
    this.u32(values.length);
    for (const value of values) write(value, this);
    return this;
  }

  record(other: RecordWriter): this {
    for (const byte of other.#bytes) this.#bytes.push(byte);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #push(count: number): this {
    for (let i = 0; i < count; i++) this.#bytes.push(this.#scratch.getUint8(i));
    return this;
  }
}

/** The whole file from its sections; empty ones are left out. */
export function writeFile(sections: ReadonlyMap<SectionId, Uint8Array>): Uint8Array {
  const kept = [...sections].filter(([, bytes]) => bytes.length > 0).toSorted(([a], [b]) => a - b);
  let length = HEADER_BYTES + kept.length * ENTRY_BYTES;
  const offsets = kept.map(([, bytes]) => {
    const offset = align(length);
    length = offset + bytes.length;
    return offset;
  });
  const file = new Uint8Array(align(length));
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, file.length, true);
  view.setUint32(12, kept.length, true);
  for (const [i, [id, bytes]] of kept.entries()) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    view.setUint32(entry, id, true);
    view.setUint32(entry + 4, offsets[i] ?? 0, true);
    view.setUint32(entry + 8, bytes.length, true);
    file.set(bytes, offsets[i] ?? 0);
  }
  return file;
}

/** Eight bytes, so that f64 tables can be used in place too. */
function align(offset: number): number {
  return (offset + 7) & ~7;
}

export function bytesOf(table: Int32Array | Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
}
