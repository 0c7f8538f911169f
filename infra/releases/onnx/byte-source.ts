import { open, type FileHandle } from "node:fs/promises";
import type { ByteSource } from "./wire.ts";

/** Heads of neighbouring fields lie close together, so small reads are served from one block. */
const BLOCK_BYTES = 64 * 1024;

/** Opens a file for random reads and closes it after `work`. */
export async function withByteSource<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await open(path, "r");
  try {
    return await work(new FileByteSource(handle, (await handle.stat()).size));
  } finally {
    await handle.close();
  }
}

export function memoryByteSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

class FileByteSource implements ByteSource {
  readonly size: number;
  readonly #handle: FileHandle;
  #block: Uint8Array = new Uint8Array();
  #blockStart = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (length > BLOCK_BYTES) return this.#readAt(offset, length);
    if (offset < this.#blockStart || offset + length > this.#blockStart + this.#block.length) {
      this.#block = await this.#readAt(offset, BLOCK_BYTES);
      this.#blockStart = offset;
    }
    const from = offset - this.#blockStart;
    return this.#block.subarray(from, from + length);
  }

  async #readAt(offset: number, length: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(Math.min(length, Math.max(0, this.size - offset)));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead);
  }
}
