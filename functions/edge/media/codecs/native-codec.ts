import { FoveaError } from "../../../../shared/errors/error.ts";

interface CodecExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  allocate(bytes: number): number;
  release(at: number): void;
  decode(file: number, fileBytes: number, out: number, ...numbers: number[]): unknown;
}

/** A file on its way into a heap. */
export interface CodecFile {
  readonly length: number;
  /** Writes at most `length` bytes. */
  readonly write: (into: Uint8Array) => void;
}

/** A codec of `native/`, on a heap of its own. */
export interface NativeCodec {
  /** Bytes of the heap; it never shrinks. */
  heapBytes(): number;
  /**
   * Decodes into a buffer of `outBytes` on the heap. The view is valid until the next call.
   *
   * @param numbers what `decode` of the codec takes after file and buffer
   */
  decode(
    file: CodecFile,
    outBytes: number,
    numbers: readonly number[],
  ): { readonly data: Uint8Array; readonly result: unknown };
}

/** The bytes as they are. */
export function wholeFile(bytes: Uint8Array): CodecFile {
  return { length: bytes.length, write: (into) => into.set(bytes) };
}

/** `TRUNCATED` of native/jpeg.c. */
const TRUNCATED = -1;

/**
 * Starts a codec. It asks the host for two things only: to end a decode (`host.fail`), and what a C library links for
 * its error texts, which is never called.
 *
 * @throws FoveaError `invalid_image` from `decode`; the instance is of no use afterwards
 */
export function startNativeCodec(module: WebAssembly.Module, name: string): NativeCodec {
  const imports: Record<string, Record<string, (code: number) => void>> = {};
  for (const { module: space, name: field } of WebAssembly.Module.imports(module)) {
    imports[space] ??= {};
    imports[space][field] = (code) => {
      if (field === "emscripten_notify_memory_growth") return;
      const what = code === TRUNCATED ? "truncated" : "damaged";
      throw new FoveaError("invalid_image", `The ${name} file is ${what}.`);
    };
  }
  const codec = new WebAssembly.Instance(module, imports).exports as unknown as CodecExports;
  codec._initialize();
  let out = 0;

  function allocate(bytes: number): number {
    const at = codec.allocate(bytes);
    if (at === 0) throw new FoveaError("image_too_large", `The ${name} file needs too much memory.`);
    return at;
  }

  return {
    heapBytes: () => codec.memory.buffer.byteLength,
    decode({ length, write }, outBytes, numbers) {
      if (out !== 0) codec.release(out);
      out = allocate(outBytes);
      const file = allocate(length);
      write(new Uint8Array(codec.memory.buffer, file, length));
      const result = codec.decode(file, length, out, ...numbers);
      codec.release(file);
      return { data: new Uint8Array(codec.memory.buffer, out, outBytes), result };
    },
  };
}
