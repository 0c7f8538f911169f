import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";

/** Long enough that onnxruntime-web takes it for a binary and fetches nothing; it is never compiled. */
const DUMMY_BINARY_BYTES = 8;

let memory: WebAssembly.Memory | undefined;

/** The heap of onnxruntime's one wasm instance, bytes; it never shrinks. 0 before it is loaded. */
export function ortHeapBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

/** What `env.wasm.wasmBinary` is set to. */
export function dummyBinary(): ArrayBuffer {
  return new ArrayBuffer(DUMMY_BINARY_BYTES);
}

/**
 * Runs `create` while `WebAssembly.instantiate` answers with the module that was compiled at deploy time. workerd
 * compiles no wasm at run time, and onnxruntime-web has no option to take a compiled module, so this leans on its way of
 * loading; its version is pinned and a test in workerd loads it.
 */
export async function withCompiledModule<T>(create: () => Promise<T>): Promise<T> {
  const original = WebAssembly.instantiate;
  const replacement = (_binary: unknown, imports?: WebAssembly.Imports): Promise<unknown> => {
    const instance = new WebAssembly.Instance(wasm, imports);
    memory ??= findMemory(instance.exports, imports);
    return Promise.resolve({ instance, module: wasm });
  };
  Object.assign(WebAssembly, { instantiate: replacement });
  try {
    return await create();
  } finally {
    Object.assign(WebAssembly, { instantiate: original });
  }
}

function findMemory(exports: WebAssembly.Exports, imports?: WebAssembly.Imports): WebAssembly.Memory | undefined {
  const candidates = [
    ...Object.values(exports),
    ...Object.values(imports ?? {}).flatMap((space) => Object.values(space)),
  ];
  return candidates.find((candidate) => candidate instanceof WebAssembly.Memory);
}
