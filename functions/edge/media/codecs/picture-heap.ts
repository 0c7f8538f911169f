import { FoveaError } from "../../../../shared/errors/error.ts";
import { MAX_PICTURE_HEAP_BYTES } from "../../../../shared/limits/isolate.ts";

/** What codecs.wasm gives (sources in native/). All numbers but counts are byte addresses. */
interface CodecExports {
  readonly __heap_base: WebAssembly.Global;
  _initialize(): void;
  allocate(bytes: number): number;
  turn(picture: number, width: number, height: number, channels: number, start: number, dx: number, dy: number): number;
  decode_jpeg(out: number, width: number, height: number, start: number, dx: number, dy: number): void;
  decode_png(out: number, width: number, height: number, channels: number): number;
  decode_webp(fileBytes: number, out: number, width: number, height: number, channels: number, stride: number): number;
}

/** A file on its way into the heap: writes the next bytes, as many as there are room for, and says how many. */
export type ReadFile = (into: Uint8Array) => number;

/** The heap while one picture is decoded. */
export interface HeapForPicture {
  readonly codecs: Omit<CodecExports, "_initialize" | "__heap_base">;
  /** Bytes on the heap; a later allocation or decode may detach the view. */
  readonly view: (at: number, bytes: number) => Uint8Array;
}

const PAGE_BYTES = 65_536;
/** What codecs.wasm asks for: its constants and its stack lie in front of the heap. */
const INITIAL_PAGES = 16;

/** Codes of native/codec.h. */
const TRUNCATED = -1;
const OUT_OF_MEMORY = -3;

/**
 * The one memory that pictures are decoded in, whatever their format: it grows as far as the largest picture needs, and
 * no two codecs can hold one each.
 *
 * Every picture begins as in a new process: what the one before has used is overwritten, by zeros and by the constants
 * of a new instance, and all views on it are detached. The code keeps nothing else (its stack pointer is back where it was after each
 * call that returns), and after a failure a new instance takes over. So neither a trap nor what a hostile file has done
 * to the heap outlives its picture, and no picture can be read by the next.
 */
export class PictureHeap {
  readonly #module: WebAssembly.Module;
  readonly #memory = new WebAssembly.Memory({
    initial: INITIAL_PAGES,
    maximum: MAX_PICTURE_HEAP_BYTES / PAGE_BYTES,
  });
  /** Where the last picture's heap ends: nothing above was handed out. */
  #end = 0;
  /** An instance that has not failed, and what lay in front of its heap when it was new. */
  #healthy: { readonly codecs: CodecExports; readonly front: Uint8Array } | undefined;
  #file: { readonly name: string; readonly read: ReadFile } = { name: "picture", read: () => 0 };

  /** @param module codecs.wasm */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Bytes of the memory; it never shrinks. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Runs one decode on an empty heap. What it returns may lie there, until the next call.
   *
   * @param name of the format, for messages
   * @throws FoveaError `invalid_image`, `image_too_large`
   */
  use<T>(name: string, read: ReadFile, decode: (heap: HeapForPicture) => T): T {
    const instance = this.#startOver();
    this.#file = { name, read };
    this.#healthy = undefined;
    const { codecs } = instance;
    const result = decode({ codecs, view: (at, bytes) => new Uint8Array(this.#memory.buffer, at, bytes) });
    this.#healthy = instance;
    return result;
  }

  /** The last instance as it was when it was new, or a new one. */
  #startOver(): { readonly codecs: CodecExports; readonly front: Uint8Array } {
    const used = new Uint8Array(this.#memory.buffer, 0, this.#end);
    const instance = this.#healthy;
    used.set(instance?.front ?? []);
    used.fill(0, instance?.front.length);
    // Detaches all views, also those of whoever kept the last picture
    this.#memory.grow(0);
    if (instance === undefined) return this.#instantiate();
    this.#end = instance.front.length;
    return instance;
  }

  #instantiate(): { readonly codecs: CodecExports; readonly front: Uint8Array } {
    const fail = (code: number): never => {
      const { name } = this.#file;
      if (code === OUT_OF_MEMORY) {
        throw new FoveaError("image_too_large", `The ${name} file needs too much memory.`);
      }
      throw new FoveaError("invalid_image", `The ${name} file is ${code === TRUNCATED ? "truncated" : "damaged"}.`);
    };
    const imports: WebAssembly.Imports = {
      host: {
        fail,
        grow: (bytes: number) => this.#grow(bytes),
        read: (at: number, most: number) => this.#file.read(new Uint8Array(this.#memory.buffer, at, most)),
      },
      env: { memory: this.#memory },
      // A C library links these for its error texts, and never calls them
      wasi_snapshot_preview1: { proc_exit: fail, fd_close: fail, fd_write: fail, fd_seek: fail },
    };
    const codecs = new WebAssembly.Instance(this.#module, imports).exports as unknown as CodecExports;
    this.#end = Number(codecs.__heap_base.value);
    codecs._initialize();
    return { codecs, front: new Uint8Array(this.#memory.buffer).slice(0, this.#end) };
  }

  /** `sbrk`: moves the end of the heap and says where it was; -1 when there is no room. */
  #grow(bytes: number): number {
    const [from, to] = [this.#end, this.#end + bytes];
    if (bytes < 0 || to > MAX_PICTURE_HEAP_BYTES) return -1;
    const missing = to - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#end = to;
    return from;
  }
}

/** Parts of a file, one after another. */
export function readParts(parts: Iterable<Uint8Array, undefined>): ReadFile {
  const rest = parts[Symbol.iterator]();
  let part: Uint8Array | undefined = new Uint8Array(0);
  return (into) => {
    let length = 0;
    while (length < into.length && part !== undefined) {
      const some = part.subarray(0, into.length - length);
      into.set(some, length);
      length += some.length;
      part = some.length < part.length ? part.subarray(some.length) : rest.next().value;
    }
    return length;
  };
}
