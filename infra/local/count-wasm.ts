import { readFile } from "node:fs/promises";
import path from "node:path";
import type { WorkerName } from "../paths.ts";
import type { Bundle } from "./bundle.ts";

/** What the encoder Worker answers beside its own methods when its bundle went through `countWasm`. */
export interface CountedWasm {
  /** Bytes of all wasm memories of the isolate that are still alive. */
  wasmBytes(): Promise<number>;
}

/**
 * Puts an entry in front of a bundle that counts wasm memories and tells them: the encoder by `wasmBytes()`, the edge for
 * both at `/__memory`.
 */
export async function countWasm(name: WorkerName, { directory, modules }: Bundle): Promise<Bundle> {
  const record = await readFile(path.join(import.meta.dirname, "record-wasm.js"), "utf8");
  const entry =
    name === "edge"
      ? `import { wasmBytes } from "./record-wasm.js"; import app from "./index.js";
         export default { async fetch(request, env, ctx) {
           if (new URL(request.url).pathname !== "/__memory") return app.fetch(request, env, ctx);
           return Response.json({ edge: wasmBytes(), encoder: await env.ENCODER.wasmBytes() });
         } };`
      : `import { wasmBytes } from "./record-wasm.js"; import Encoder from "./index.js";
         export default class extends Encoder { wasmBytes() { return wasmBytes(); } }`;
  const module = (file: string, contents: string) => ({
    type: "ESModule" as const,
    path: path.join(directory, file),
    contents,
  });
  return { directory, modules: [module("counting.js", entry), module("record-wasm.js", record), ...modules] };
}
