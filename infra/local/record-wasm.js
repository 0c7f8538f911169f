// Put in front of a Worker's bundle by count-wasm.ts: remembers every wasm memory that an instance exports or imports.
const memories = new Set();

const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, imports);
    const given = Object.values(imports ?? {}).flatMap((space) => Object.values(space));
    for (const value of [...Object.values(this.exports), ...given]) {
      if (value instanceof WebAssembly.Memory) memories.add(new WeakRef(value));
    }
  }
};

/** Bytes of all wasm memories that are still alive. */
export function wasmBytes() {
  return [...memories].reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0);
}
