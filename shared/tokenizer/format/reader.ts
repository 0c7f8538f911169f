import { FoveaError } from "../../errors/error.ts";
import { ENTRY_BYTES, FORMAT_VERSION, HEADER_BYTES, MAGIC, type SectionId } from "./layout.ts";

/** A file that was not written by this version's compiler. The release is at fault, never the client. */
export function malformed(what: string): FoveaError {
  return new FoveaError("release_unavailable", `The compiled tokenizer of this release is broken: ${what}.`);
}

const EMPTY = new Uint8Array(0);

/** The sections of a compiled file, as views on its bytes. Every offset is checked before a view is made. */
export class Sections {
  readonly #file: Uint8Array;
  readonly #entries = new Map<number, readonly [offset: number, length: number]>();

  constructor(bytes: Uint8Array) {
    if (bytes.length < HEADER_BYTES) throw malformed("it is too short");
    // Tables are read in place as i32 and f64, which wants their alignment; a view into a larger buffer may lack it.
    this.#file = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    const view = new DataView(this.#file.buffer, this.#file.byteOffset, this.#file.byteLength);
    if (view.getUint32(0, true) !== MAGIC) throw malformed("it does not begin as one");
    if (view.getUint32(4, true) !== FORMAT_VERSION)
      throw malformed("it has another version; publish the release again");
    if (view.getUint32(8, true) !== bytes.length) throw malformed("its length is not the one it names");
    const count = view.getUint32(12, true);
    let end = HEADER_BYTES + count * ENTRY_BYTES;
    if (count > 64 || end > bytes.length) throw malformed("its table of sections is cut off");
    let last = 0;
    for (let i = 0; i < count; i++) {
      const entry = HEADER_BYTES + i * ENTRY_BYTES;
      const id = view.getUint32(entry, true);
      const offset = view.getUint32(entry + 4, true);
      const length = view.getUint32(entry + 8, true);
      if (id <= last || offset % 8 !== 0 || offset < end || length > bytes.length - offset) {
        throw malformed("a section lies outside of it");
      }
      this.#entries.set(id, [offset, length]);
      last = id;
      end = offset + length;
    }
  }

  /** A section's bytes; an absent section is empty. */
  bytes(id: SectionId): Uint8Array {
    const entry = this.#entries.get(id);
    return entry === undefined ? EMPTY : this.#file.subarray(entry[0], entry[0] + entry[1]);
  }

  ints(id: SectionId): Int32Array {
    const bytes = this.bytes(id);
    if (bytes.length % 4 !== 0) throw malformed("a table has half an entry");
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  floats(id: SectionId): Float64Array {
    const bytes = this.bytes(id);
    if (bytes.length % 8 !== 0) throw malformed("a table has half an entry");
    return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Takes back what `RecordWriter` wrote. Every step is bounds-checked. */
export class RecordReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  string(): string {
    const length = this.u32();
    const start = this.#take(length);
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw malformed("a string is not UTF-8");
    }
  }

  list<T>(read: (reader: this) => T): T[] {
    const count = this.u32();
    // Every entry has a byte at least, so that a broken count cannot ask for more entries than there are bytes.
    if (count > this.#bytes.length - this.#position) throw malformed("a list is longer than the file");
    return Array.from({ length: count }, () => read(this));
  }

  #take(count: number): number {
    const start = this.#position;
    if (count > this.#bytes.length - start) throw malformed("a record is cut off");
    this.#position = start + count;
    return start;
  }
}
